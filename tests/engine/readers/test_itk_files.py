"""MetaImage and NRRD: voxels and geometry against ITK itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import itk
import nibabel
import numpy as np
import pytest
import torch

from clara_compat.engine import properties
from clara_compat.engine.readers.scan import read_scan, scan_header
from clara_compat.engine.transforms.load_nifti import LoadNiftid
from clara_compat.errors import ClaraError

FORMATS = ("mha", "mhd", "nrrd", "nhdr")


def volume(shape=(7, 6, 5), dtype=np.int16):
    return np.random.default_rng(0).integers(0, 100, shape).astype(dtype)


@pytest.mark.parametrize("compression", [False, True])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_volume(itk_file, ras_of_itk, oblique_affine, ending, compression):
    path = itk_file(f"a.{ending}", volume(), oblique_affine, compression=compression)
    item = LoadNiftid("image")({"image": path})["image"]
    reference = itk.imread(path)
    assert item.shape == (1, 7, 6, 5)
    assert item.dtype == torch.float32
    assert item.is_contiguous()
    for index in [(0, 0, 0), (6, 0, 0), (1, 2, 3), (6, 5, 4)]:
        assert item[(0, *index)] == reference[index[::-1]] == volume()[index]
        np.testing.assert_allclose(item.affine.numpy() @ [*index, 1], [*ras_of_itk(reference, index), 1], atol=1e-9)
    np.testing.assert_allclose(item.affine.numpy(), oblique_affine, atol=1e-9)
    found = properties.read(item)
    np.testing.assert_allclose(found.pop("original_affine"), oblique_affine, atol=1e-9)
    assert found.pop("spacing") == pytest.approx((0.8, 1.5, 4.0))
    assert found == {
        "file_name": path,
        "original_shape": (7, 6, 5),
        "original_shape_format": "DHW",
        "as_canonical": False,
        "file_format": ending,
        "shape_format": "DHW",
    }
    header = scan_header(path)
    assert (header.size, header.channels) == ((7, 6, 5), 1)
    assert header.spacing == pytest.approx((0.8, 1.5, 4.0))
    np.testing.assert_allclose(header.affine, oblique_affine, atol=1e-9)


@pytest.mark.parametrize("ending", ["mha", "nrrd"])
def test_a_plane(itk_file, ras_of_itk, ending):
    affine = np.array([[-0.6, 0.8 * 2, 0, 5], [0.8, 0.6 * 2, 0, -7], [0, 0, 1, 0], [0, 0, 0, 1]])
    path = itk_file(f"a.{ending}", volume((7, 6)), affine)
    item = LoadNiftid("image")({"image": path})["image"]
    np.testing.assert_array_equal(item.numpy(), volume((7, 6))[np.newaxis])
    np.testing.assert_allclose(item.affine.numpy(), affine, atol=1e-9)
    np.testing.assert_allclose((affine @ [3, 2, 0, 1])[:2], ras_of_itk(itk.imread(path), (3, 2)), atol=1e-9)
    assert properties.read(item)["shape_format"] == "HW"
    assert properties.read(item)["spacing"] == pytest.approx((1.0, 2.0))
    assert scan_header(path)[:3] == ((7, 6), pytest.approx((1.0, 2.0)), 1)


@pytest.mark.parametrize("ending", ["mha", "nrrd"])
@pytest.mark.parametrize(("size", "layout"), [((7, 6, 5), "DHWC"), ((7, 6), "HWC")])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_values_per_voxel_are_channels(itk_file, oblique_affine, ending, size, layout, dtype):
    affine = oblique_affine if len(size) == 3 else np.diag([-1.0, -2, 1, 1])
    array = volume((*size, 3), dtype)
    path = itk_file(f"a.{ending}", array, affine, vector=True)
    found = read_scan(path, np.float32)
    np.testing.assert_array_equal(found.data, np.moveaxis(array, -1, 0))
    np.testing.assert_allclose(found.affine, affine, atol=1e-9)
    assert (found.shape_format, found.original_shape) == (layout, (*size, 3))
    assert scan_header(path)[::2] == (size, 3)


def test_a_list_gives_channels(itk_file, oblique_affine):
    paths = [itk_file(f"{i}.mha", volume() + i, oblique_affine) for i in range(2)]
    item = LoadNiftid("image")({"image": paths})["image"]
    np.testing.assert_array_equal(item.numpy(), np.stack([volume(), volume() + 1]))
    assert properties.read(item)["shape_format"] == "CDHW"


@pytest.mark.parametrize("channels", [(), (3,)])
def test_canonical_equals_nibabel(itk_file, oblique_affine, channels):
    affine = oblique_affine[:, [2, 0, 1, 3]]
    array = volume((7, 6, 5, *channels), np.uint8)
    path = itk_file("a.nrrd", array, affine, vector=bool(channels))
    expected = nibabel.as_closest_canonical(nibabel.Nifti1Image(array, affine))
    item = LoadNiftid("image", as_closest_canonical=True)({"image": path})["image"]
    array = np.asarray(expected.dataobj)
    np.testing.assert_array_equal(item.numpy(), np.moveaxis(array, -1, 0) if channels else array[np.newaxis])
    np.testing.assert_allclose(item.affine.numpy(), expected.affine, atol=1e-6)
    assert properties.read(item)["spacing"] == pytest.approx(expected.header.get_zooms()[:3], rel=1e-5)
    np.testing.assert_allclose(properties.read(item)["original_affine"], affine, atol=1e-9)
    header = scan_header(path, as_closest_canonical=True)
    assert header.size == expected.shape[:3]
    assert header.spacing == pytest.approx(expected.header.get_zooms()[:3], rel=1e-5)
    np.testing.assert_allclose(header.affine, expected.affine, atol=1e-6)


MET = {"MET_CHAR": np.int8, "MET_UCHAR": np.uint8, "MET_SHORT": np.int16, "MET_USHORT": np.uint16, "MET_INT": np.int32,
       "MET_UINT": np.uint32, "MET_LONG_LONG": np.int64, "MET_ULONG_LONG": np.uint64, "MET_FLOAT": np.float32,
       "MET_DOUBLE": np.float64}  # fmt: skip


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", MET)
def test_every_type_of_numbers(tmp_path, kind, channels):
    """Written by hand: ITK's Python has no type for some of them."""
    dtype = np.dtype(MET[kind])
    low = -100 if dtype.kind in "if" else 0
    array = np.random.default_rng(1).integers(low, 120, (3, 2, 2, channels)).astype(dtype)
    header = (
        f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nDimSize = 3 2 2\n"
        f"ElementNumberOfChannels = {channels}\nElementType = {kind}\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "a.mha").write_bytes(header.encode() + array.transpose(2, 1, 0, 3).tobytes())
    found = read_scan(str(tmp_path / "a.mha"), np.float64)
    np.testing.assert_array_equal(np.moveaxis(found.data, 0, -1), array)


@pytest.mark.parametrize(
    ("space", "sign"), [("right-anterior-superior", (1, 1)), ("left-posterior-superior", (-1, -1)),
                        ("left-anterior-superior", (-1, 1))],
)  # fmt: skip
def test_the_space_of_nrrd(tmp_path, space, sign):
    header = (
        f"NRRD0004\ntype: uint8\ndimension: 3\nspace: {space}\nsizes: 3 2 2\nencoding: raw\n"
        "space directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (10,20,30)\n\n"
    )
    (tmp_path / "a.nrrd").write_bytes(header.encode() + bytes(range(12)))
    found = read_scan(str(tmp_path / "a.nrrd"), np.float32)
    np.testing.assert_array_equal(found.data[0], np.arange(12).reshape(2, 2, 3).T)
    expected = np.diag([2.0, 3, 4, 1])
    expected[:3, 3] = [10, 20, 30]
    np.testing.assert_allclose(found.affine, np.diag([*sign, 1, 1]) @ expected)


@pytest.mark.real
@pytest.mark.parametrize("ending", ["mha", "nrrd"])
def test_the_real_scan_is_the_same_in_every_format(clara_examples, tmp_path, ending):
    """Two independent writers: nibabel for the NIfTI file, ITK for the other, from the same crop of the real scan."""
    scan = nibabel.load(clara_examples / "sampleData" / "imagesTr" / "spleen_8.nii.gz").slicer[200:260, 180:230, 5:25]
    nibabel.save(scan, tmp_path / "a.nii.gz")
    itk.imwrite(itk.imread(str(tmp_path / "a.nii.gz")), str(tmp_path / f"a.{ending}"))  # ITK reads NIfTI as LPS
    nii, other = (LoadNiftid("image")({"image": str(tmp_path / f"a.{e}")})["image"] for e in ("nii.gz", ending))
    assert nii.shape == other.shape == (1, 60, 50, 20)
    np.testing.assert_array_equal(other.numpy()[0], scan.get_fdata())
    assert torch.equal(nii.as_tensor(), other.as_tensor())
    np.testing.assert_allclose(other.affine.numpy(), scan.affine, atol=1e-3)
    assert properties.read(other)["spacing"] == pytest.approx(properties.read(nii)["spacing"], rel=1e-5)


def damaged(folder, name, itk_file):
    good = itk_file("good.mha", volume((20, 20, 9)), np.eye(4))
    packed = itk_file("packed.nrrd", volume((20, 20, 9)), np.eye(4), compression=True)
    zipped = bytearray(Path(itk_file("zip.mha", volume((20, 20, 9)), np.eye(4), compression=True)).read_bytes())
    zipped[-1000] ^= 0xFF
    itk_file("part.mhd", volume((20, 20, 9)), np.eye(4))
    mhd = (folder / "part.mhd").read_bytes()
    content = {
        "empty.mha": b"",
        "empty.nrrd": b"",
        "text.mha": b"x,y\n1,2\n" * 100,
        "text.nrrd": b"x,y\n1,2\n" * 100,
        "cut.mha": Path(good).read_bytes()[:-500],
        "flipped.mha": bytes(zipped),
        "packed-cut.mha": bytes(zipped[:-500]),
        "header.mha": Path(good).read_bytes()[:150],
        "cut.nrrd": Path(packed).read_bytes()[:-500],
        "nowhere.mhd": mhd.replace(b"part.raw", b"none.raw"),
        "short.mhd": mhd.replace(b"part.raw", b"short.raw"),
        "scan.nhdr": b"\x5c\x01\0\0" + b"\0" * 400,
    }
    (folder / "short.raw").write_bytes(b"\0" * 100)
    (folder / name).write_bytes(content[name])
    return str(folder / name)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("empty.mha", "the file is empty"),
        ("empty.nrrd", "the file is empty"),
        ("text.mha", "it is not the .mha file its name says, or it is damaged .its beginning is of no format"),
        ("text.nrrd", "it is not the .nrrd file its name says"),
        ("cut.mha", "it is cut off: 6700 of 7200 bytes are there"),
        ("flipped.mha", "its compressed data are damaged or cut off"),
        ("packed-cut.mha", "it is cut off: 6288 of 7200 bytes are there"),
        ("header.mha", "or it is damaged"),
        ("cut.nrrd", "or it is damaged"),
        ("nowhere.mhd", "its voxels are in none.raw, which is not there"),
        ("short.mhd", "it is cut off: 100 of 7200 bytes are there"),
        ("scan.nhdr", "it is not the .nhdr file its name says"),
    ],
)
def test_damaged_files_are_named(tmp_path, itk_file, name, what):
    path = damaged(tmp_path, name, itk_file)
    with pytest.raises(ClaraError, match=f"'{path}' cannot be read: .*{what}") as caught:
        LoadNiftid("image")({"image": path})
    assert "\n" not in str(caught.value)


def test_other_bad_files(tmp_path, itk_file):
    (tmp_path / "a.nrrd").write_bytes(
        b"NRRD0004\ntype: uint8\ndimension: 4\nsizes: 3 2 2 2\nencoding: raw\n\n" + bytes(24)
    )
    for read in (scan_header, lambda path: read_scan(path, np.float32)):
        with pytest.raises(ClaraError, match="nowhere.mha' does not exist: check DATA_ROOT"):
            read(str(tmp_path / "nowhere.mha"))
        with pytest.raises(ClaraError, match=r"a.nrrd' has the shape \(3, 2, 2, 2\), expected an image of 2 or 3 axes"):
            read(str(tmp_path / "a.nrrd"))


def test_itk_is_imported_for_its_files_only(itk_file, tmp_path):
    nibabel.save(nibabel.Nifti1Image(volume(), np.eye(4)), tmp_path / "a.nii.gz")
    path = itk_file("a.mha", volume(), np.eye(4))
    code = (
        "import sys; from clara_compat.engine.readers.scan import read_scan;"
        f"read_scan({str(tmp_path / 'a.nii.gz')!r}, 'f4'); before = 'itk' in sys.modules, 'torch' in sys.modules;"
        f"read_scan({path!r}, 'f4'); print(before, 'itk' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "(False, False) True"
