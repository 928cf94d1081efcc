"""NIfTI files read back by nibabel: voxels, types and places in space."""

from __future__ import annotations

import itertools
from pathlib import Path

import nibabel
import numpy as np
import pytest

from clara_compat.engine.readers.nifti import nifti_header, read_nifti
from clara_compat.engine.readers.scan import read_scan
from clara_compat.engine.writers.nifti import affine_to_restore, write_nifti
from clara_compat.errors import ClaraError


def values(channels=1, size=(4, 5, 6)):
    return np.random.default_rng(0).integers(0, 100, (channels, *size)).astype(np.float32)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("size", "channels", "shape"),
    [((4, 5, 6), 1, (4, 5, 6)), ((4, 5, 6), 3, (4, 5, 6, 3)), ((4, 5), 1, (4, 5)), ((4, 5), 3, (4, 5, 1, 3)),
     ((4, 5, 1), 1, (4, 5, 1))],
)  # fmt: skip
def test_what_nibabel_reads(tmp_path, oblique_affine, ending, size, channels, shape):
    data = values(channels, size)
    write_nifti(tmp_path / "sub" / f"a{ending}", data, oblique_affine)
    found = nibabel.load(tmp_path / "sub" / f"a{ending}")
    assert found.shape == shape
    np.testing.assert_array_equal(
        found.get_fdata(), (data[0] if channels == 1 else np.moveaxis(data, 0, -1)).reshape(shape)
    )
    np.testing.assert_allclose(found.affine, oblique_affine, atol=1e-4)
    assert found.get_data_dtype() == np.float32
    assert [file.name for file in (tmp_path / "sub").iterdir()] == [f"a{ending}"]


@pytest.mark.parametrize("size", [(4, 5, 6), (4, 5)])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_our_reader_reads(tmp_path, oblique_affine, size, channels):
    write_nifti(tmp_path / "a.nii.gz", values(channels, size), oblique_affine)
    found = read_nifti(str(tmp_path / "a.nii.gz"), np.float32)
    np.testing.assert_array_equal(found.data.squeeze(), values(channels, size).squeeze())
    np.testing.assert_allclose(found.affine, oblique_affine, atol=1e-4)


def test_a_plane_with_channels_is_marked(tmp_path, oblique_affine):
    """It tells itself from a volume of one slice, also to the loader and in its header."""
    cases = {"plane": ((4, 5), "HWC", (3, 4, 5)), "slice": ((4, 5, 1), "DHWC", (3, 4, 5, 1))}
    for name, (size, layout, shape) in cases.items():
        path = str(tmp_path / f"{name}.nii.gz")
        write_nifti(tmp_path / f"{name}.nii.gz", values(3, size), oblique_affine)
        assert nibabel.load(path).shape == (4, 5, 1, 3)
        found = read_nifti(path, np.float32)
        assert (found.data.shape, found.shape_format, len(found.spacing)) == (shape, layout, len(size))
        np.testing.assert_array_equal(found.data, values(3, size))
        header = nifti_header(path)
        assert (header.size, header.spacing, header.channels) == (size, found.spacing, 3)
        first = read_nifti(path, np.float32, channels_first=True)
        assert (first.data.shape, first.shape_format) == ((4, 5, 1, 3), "CDHW")
        assert nifti_header(path, channels_first=True).size == (5, 1, 3)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32",
                                   "float64"])  # fmt: skip
def test_types(tmp_path, dtype):
    write_nifti(tmp_path / "a.nii", values(), np.eye(4), dtype)
    found = nibabel.load(tmp_path / "a.nii")
    assert found.get_data_dtype() == np.dtype(dtype)
    np.testing.assert_array_equal(np.asarray(found.dataobj), values()[0])


def test_types_nifti_does_not_have(tmp_path):
    write_nifti(tmp_path / "a.nii", values() > 50, np.eye(4), "bool")
    write_nifti(tmp_path / "b.nii", values(), np.eye(4), "float16")
    assert nibabel.load(tmp_path / "a.nii").get_data_dtype() == np.uint8
    np.testing.assert_array_equal(nibabel.load(tmp_path / "a.nii").get_fdata(), values()[0] > 50)
    assert nibabel.load(tmp_path / "b.nii").get_data_dtype() == np.float32


def test_decimals_are_cut_off(tmp_path):
    write_nifti(tmp_path / "a.nii", np.array([[[0.9, 1.2, 254.99]]]), np.eye(4), "uint8")
    np.testing.assert_array_equal(nibabel.load(tmp_path / "a.nii").get_fdata(), [[0, 1, 254]])


@pytest.mark.parametrize("value", [-1, 256, np.nan, np.inf])
def test_what_the_type_cannot_hold(tmp_path, value):
    with pytest.raises(ClaraError, match="which uint8 cannot hold: set 'dtype' to a type that can"):
        write_nifti(tmp_path / "a.nii", np.array([[[0.0, value]]]), np.eye(4), "uint8")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_transposed_axes_keep_their_place(tmp_path, oblique_affine, world, axes):
    data = world(oblique_affine, (4, 5, 6))
    for squeeze in (False, True):
        write_nifti(tmp_path / "a.nii", data, oblique_affine, "float64", transpose_axes=[*axes, 3], squeeze=squeeze)
        found = nibabel.load(tmp_path / "a.nii")
        assert found.shape == (*((4, 5, 6)[axis] for axis in axes), 3)
        expected = world(found.affine, found.shape[:3])
        np.testing.assert_allclose(np.moveaxis(found.get_fdata(), -1, 0), expected, atol=1e-3)


@pytest.mark.parametrize("flat", [0, 1, 2])
def test_squeezed_axes_keep_their_place(tmp_path, oblique_affine, world, flat):
    size = [4, 5, 6]
    size[flat] = 1
    data = world(oblique_affine, tuple(size))
    for channel in range(3):
        write_nifti(tmp_path / "a.nii", data[channel : channel + 1], oblique_affine, "float64", squeeze=True)
        found = nibabel.load(tmp_path / "a.nii")
        assert found.shape == tuple(n for n in size if n != 1)
        np.testing.assert_allclose(found.get_fdata(), world(found.affine, found.shape)[channel], atol=1e-3)


def test_wrong_axes(tmp_path):
    with pytest.raises(ClaraError, match=r"transpose_axes is \[0, 1\], expected the axes \[0, 1, 2\] of the file"):
        write_nifti(tmp_path / "a.nii", values(), np.eye(4), transpose_axes=[0, 1])
    with pytest.raises(ClaraError, match="in another order, the channels last"):
        write_nifti(tmp_path / "a.nii", values(2), np.eye(4), transpose_axes=[3, 0, 1, 2])
    with pytest.raises(ClaraError, match=r"affine of 'a.nii' has the shape \(3, 3\), expected \(4, 4\)"):
        write_nifti(tmp_path / "a.nii", values(), np.eye(3))


def test_identity(tmp_path, oblique_affine):
    write_nifti(tmp_path / "a.nii", values(), oblique_affine, use_identity=True, transpose_axes=[2, 1, 0])
    np.testing.assert_array_equal(nibabel.load(tmp_path / "a.nii").affine, np.eye(4))


@pytest.mark.parametrize("size", [(4, 5, 6), (4, 5)])
def test_the_canonical_orientation_is_undone(tmp_path, oblique_affine, size):
    affine = oblique_affine[:, [2, 0, 1, 3]] if len(size) == 3 else np.diag([-2.0, -3, 4, 1])
    nibabel.save(nibabel.Nifti1Image(values(1, size)[0], affine), tmp_path / "a.nii")
    turned = read_scan(str(tmp_path / "a.nii"), np.float32, as_closest_canonical=True)
    assert not np.allclose(turned.affine, turned.original_affine)
    write_nifti(tmp_path / "b.nii", turned.data, turned.affine, like=turned.original_affine)
    found = nibabel.load(tmp_path / "b.nii")
    np.testing.assert_array_equal(found.get_fdata(), values(1, size)[0])
    np.testing.assert_allclose(found.affine, affine, atol=1e-4)


def test_what_to_restore():
    affine = np.diag([-1.0, 1, 1, 1])
    for name in ("as_canonical", "is_canonical"):
        assert affine_to_restore({name: False}, "model") is None
        np.testing.assert_array_equal(affine_to_restore({name: True, "original_affine": affine}, "model"), affine)
    for known in ({}, {"as_canonical": True}, {"original_affine": affine}):
        with pytest.raises(ClaraError, match="'model' does not say how its file was oriented.*with CopyProperties"):
            affine_to_restore(known, "model")
    with pytest.raises(ClaraError, match="the orientation of 'a.nii' cannot be restored: its affine is singular"):
        write_nifti(Path("a.nii"), values(), np.eye(4), like=np.zeros((4, 4)))


def test_whole_or_not_at_all(tmp_path, monkeypatch):
    write_nifti(tmp_path / "a.nii.gz", values(), np.eye(4))
    before = (tmp_path / "a.nii.gz").read_bytes()

    def fails(self, stream):
        stream.write(b"half a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nibabel.Nifti1Image, "to_stream", fails)
    with pytest.raises(ClaraError, match="a.nii.gz' cannot be written: No space left on device"):
        write_nifti(tmp_path / "a.nii.gz", values() + 1, np.eye(4))
    assert (tmp_path / "a.nii.gz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_the_same_image_gives_the_same_bytes(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(tmp_path / name, values(), np.eye(4))
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
