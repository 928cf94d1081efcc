from __future__ import annotations

import gzip
import logging
import re
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from clara_compat.engine import properties
from clara_compat.engine.readers.nifti import nifti_header, read_nifti
from clara_compat.engine.transforms.load_nifti import LoadNiftid
from clara_compat.errors import ClaraError


def write(path, array, affine=None, slope=None, kind=nibabel.Nifti1Image):
    image = kind(array, np.eye(4) if affine is None else affine)
    if slope is not None:
        image.header.set_slope_inter(*slope)
    nibabel.save(image, path)
    return str(path)


def stored_voxels(path):
    """The file read by hand from its bytes (NIfTI-1, little endian): shape, zooms, sform, stored values."""
    raw = Path(path).read_bytes()
    raw = gzip.decompress(raw) if path.endswith(".gz") else raw
    dim = struct.unpack_from("<8h", raw, 40)
    code = struct.unpack_from("<h", raw, 70)[0]
    zooms = struct.unpack_from("<8f", raw, 76)
    offset, slope, inter = struct.unpack_from("<3f", raw, 108)
    shape = dim[1 : dim[0] + 1]
    dtype = {2: "<u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8"}[code]
    values = np.frombuffer(raw, dtype, int(np.prod(shape)), int(offset)).reshape(shape, order="F").astype(np.float64)
    if np.isfinite(slope) and slope not in (0, 1):
        values = values * slope + inter
    sform = np.vstack([np.frombuffer(raw, "<f4", 12, 280).reshape(3, 4), [0, 0, 0, 1]])
    return values, zooms[1 : dim[0] + 1], sform


def volume(shape=(7, 6, 5), seed=0):
    return np.random.default_rng(seed).integers(-1000, 2000, shape).astype(np.int16)


@pytest.mark.real
@pytest.mark.parametrize("folder", ["imagesTr", "labelsTr"])
def test_the_real_scan_equals_its_bytes(clara_examples, folder):
    path = str(clara_examples / "sampleData" / folder / "spleen_8.nii.gz")
    values, zooms, sform = stored_voxels(path)
    image = LoadNiftid("image")({"image": path})["image"]
    assert image.shape == (1, 512, 512, 32)
    np.testing.assert_array_equal(image.numpy()[0], values)
    np.testing.assert_allclose(image.affine.numpy(), sform, atol=1e-4)
    assert properties.read(image)["spacing"] == pytest.approx(zooms, rel=1e-5)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_volume(tmp_path, oblique_affine, ending, kind):
    path = write(tmp_path / f"a{ending}", volume(), oblique_affine, kind=kind)
    image = LoadNiftid("image")({"image": path, "other": 1})["image"]
    assert image.shape == (1, 7, 6, 5)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    np.testing.assert_array_equal(image.numpy()[0], volume())
    np.testing.assert_allclose(image.affine.numpy(), oblique_affine, atol=1e-4)
    assert image.meta["filename_or_obj"] == path
    found = properties.read(image)
    original_affine = found.pop("original_affine")
    np.testing.assert_allclose(original_affine, oblique_affine, atol=1e-4)
    assert found.pop("spacing") == pytest.approx((0.8, 1.5, 4.0), rel=1e-5)
    assert found == {
        "file_name": path,
        "original_shape": (7, 6, 5),
        "original_shape_format": "DHW",
        "as_canonical": False,
        "file_format": "nii",
        "shape_format": "DHW",
    }


def test_stored_values_are_scaled(tmp_path):
    path = write(tmp_path / "a.nii.gz", volume(), slope=(0.37, -1024.0))
    expected, _, _ = stored_voxels(path)
    image = LoadNiftid("image")({"image": path})["image"]
    np.testing.assert_allclose(image.numpy()[0], expected, rtol=1e-6, atol=1e-3)
    assert np.ptp(expected) > 1000


@pytest.mark.parametrize("order", ["<", ">"])
def test_byte_order_and_dtype(tmp_path, order):
    path = write(tmp_path / "a.nii", volume().astype(f"{order}i2"))
    if order == ">":
        header = nibabel.Nifti1Header(endianness=">")
        nibabel.save(nibabel.Nifti1Image(volume(), np.eye(4), header), path)
    image = LoadNiftid("image", dtype="int32")({"image": path})["image"]
    assert image.dtype == torch.int32
    np.testing.assert_array_equal(image.numpy()[0], volume())


CASES = {
    "flat": ((7, 6), False, (1, 7, 6), "HW", (7, 6)),
    "channels last": ((7, 6, 5, 3), False, (3, 7, 6, 5), "DHWC", (7, 6, 5, 3)),
    "one channel": ((7, 6, 5, 1), False, (1, 7, 6, 5), "DHWC", (7, 6, 5, 1)),
    "channels first": ((3, 7, 6, 5), True, (3, 7, 6, 5), "CDHW", (3, 7, 6, 5)),
    "time of one": ((7, 6, 5, 1, 3), False, (3, 7, 6, 5), "DHWC", (7, 6, 5, 3)),
    "first, but three axes": ((7, 6, 5), True, (1, 7, 6, 5), "DHW", (7, 6, 5)),
}


@pytest.mark.parametrize("case", CASES)
def test_layouts(tmp_path, case):
    stored, first, shape, label, original = CASES[case]
    array = volume(stored)
    image = LoadNiftid("image", nii_is_channels_first=first)({"image": write(tmp_path / "a.nii.gz", array)})["image"]
    assert image.shape == shape
    expected = array.squeeze(3) if array.ndim == 5 else array
    expected = expected[np.newaxis] if expected.ndim < 4 else expected if first else np.moveaxis(expected, -1, 0)
    np.testing.assert_array_equal(image.numpy(), expected)
    found = properties.read(image)
    assert (found["shape_format"], found["original_shape"], found["original_shape_format"]) == (label, original, label)
    assert len(found["spacing"]) == len(shape) - 1


@pytest.mark.parametrize("as_array", [False, True])
@pytest.mark.parametrize(("size", "label"), [((7, 6, 5), "CDHW"), ((7, 6), "CHW")])
def test_a_list_of_files_gives_channels(tmp_path, size, label, as_array):
    paths = [write(tmp_path / f"{i}.nii.gz", volume(size, i), np.diag([1.0, 2, 3, 1])) for i in range(3)]
    image = LoadNiftid("image")({"image": np.array(paths) if as_array else paths})["image"]
    np.testing.assert_array_equal(image.numpy(), np.stack([volume(size, i) for i in range(3)]))
    found = properties.read(image)
    assert found["file_name"] == paths
    assert found["original_shape"] == (3, *size)
    assert found["shape_format"] == label
    assert image.meta["filename_or_obj"] == paths[0]


def test_files_of_one_image_must_fit(tmp_path, caplog):
    a, b = write(tmp_path / "a.nii", volume()), write(tmp_path / "b.nii", volume((7, 6, 4)))
    with pytest.raises(ClaraError, match=r"differ in shape: .*a.nii' has \(7, 6, 5\), .*b.nii' has \(7, 6, 4\)"):
        LoadNiftid("image")({"image": [a, b]})
    with pytest.raises(ClaraError, match=r"c.nii' has channels itself"):
        LoadNiftid("image")({"image": [a, write(tmp_path / "c.nii", volume((7, 6, 5, 2)))]})
    moved = write(tmp_path / "d.nii", volume(), np.diag([2.0, 1, 1, 1]))
    with caplog.at_level(logging.WARNING):
        image = LoadNiftid("image")({"image": [a, moved]})["image"]
    assert "d.nii' has another affine than" in caplog.text
    assert torch.equal(image.affine, torch.eye(4, dtype=torch.float64))


@pytest.mark.parametrize("kind", [str, str.encode, Path, np.str_])
def test_kinds_of_paths(tmp_path, kind):
    path = write(tmp_path / "a.nii", volume())
    image = LoadNiftid("image")({"image": kind(path)})["image"]
    assert image.meta["filename_or_obj"] == path
    assert type(properties.read(image)["file_name"]) is str


@pytest.mark.parametrize("channels", [(), (2,)])
def test_canonical_equals_nibabel(tmp_path, oblique_affine, channels):
    affine = oblique_affine[:, [2, 0, 1, 3]]
    path = write(tmp_path / "a.nii.gz", volume((7, 6, 5, *channels)), affine)
    expected = nibabel.as_closest_canonical(nibabel.load(path))
    image = LoadNiftid("image", as_closest_canonical=True)({"image": path})["image"]
    array = np.asarray(expected.dataobj)
    np.testing.assert_array_equal(image.numpy(), np.moveaxis(array, -1, 0) if channels else array[np.newaxis])
    np.testing.assert_allclose(image.affine.numpy(), expected.affine, atol=1e-6)
    assert nibabel.aff2axcodes(image.affine.numpy()) == ("R", "A", "S")
    found = properties.read(image)
    assert found["as_canonical"] is True
    assert found["spacing"] == pytest.approx(expected.header.get_zooms()[:3], rel=1e-5)
    assert found["original_shape"][:3] == expected.shape[:3]
    np.testing.assert_allclose(found["original_affine"], affine, atol=1e-4)


def test_canonical_with_channels_first_turns_space_only(tmp_path, oblique_affine):
    array = volume((2, 7, 6, 5))
    last = write(tmp_path / "last.nii", np.moveaxis(array, 0, -1), oblique_affine)
    first = write(tmp_path / "first.nii", array, oblique_affine)
    expected = LoadNiftid("image", as_closest_canonical=True)({"image": last})["image"]
    found = LoadNiftid("image", as_closest_canonical=True, nii_is_channels_first=True)({"image": first})["image"]
    assert torch.equal(found.as_tensor(), expected.as_tensor())
    assert torch.allclose(found.affine, expected.affine)


def test_canonical_in_two_dimensions(tmp_path, oblique_affine):
    path = write(tmp_path / "a.nii", volume((7, 6)), np.diag([-1.0, 2, 3, 1]))
    image = LoadNiftid("image", as_closest_canonical=True)({"image": path})["image"]
    np.testing.assert_array_equal(image.numpy()[0], volume((7, 6))[::-1])
    np.testing.assert_allclose(image.affine.numpy()[:, 3], [-6, 0, 0, 1])
    sagittal = write(tmp_path / "b.nii", volume((7, 6)), np.eye(4)[[2, 0, 1, 3]])
    with pytest.raises(ClaraError, match=r"b.nii' cannot be re-oriented"):
        LoadNiftid("image", as_closest_canonical=True)({"image": sagittal})


def damaged(folder, how):
    good = folder / "good.nii.gz"
    write(good, volume((30, 30, 20)))
    packed, plain = good.read_bytes(), gzip.decompress(good.read_bytes())
    half = len(packed) // 2
    header = bytearray(plain)
    content = {
        "empty.nii.gz": b"",
        "empty.nii": b"",
        "cut.nii.gz": packed[:half],
        "cut_early.nii.gz": packed[:20],
        "cut.nii": plain[: len(plain) // 2],
        "bits.nii.gz": packed[:half] + bytes(b ^ 0x55 for b in packed[half : half + 40]) + packed[half + 40 :],
        "checksum.nii.gz": packed[:-8] + b"\0\0\0\0" + packed[-4:],
        "page.nii.gz": b"<html>404 Not Found</html>",
        "text.nii": b"x,y\n1,2\n" * 200,
        "zipped_text.nii.gz": gzip.compress(b"x,y\n1,2\n" * 200),
        "picture.png": b"\x89PNG\r\n\x1a\n" + b"0" * 500,
    }
    header[42:44] = struct.pack("<h", -5)
    content["shape.nii"] = bytes(header)
    path = folder / how
    path.write_bytes(content[how])
    return str(path)


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("empty.nii.gz", "the file is empty"),
        ("empty.nii", "the file is empty"),
        ("cut.nii.gz", "the file is cut off"),
        ("cut_early.nii.gz", "the file is cut off"),
        ("cut.nii", "the file is cut off"),
        ("bits.nii.gz", "the file is damaged"),
        ("checksum.nii.gz", r"the file is damaged \(CRC check failed"),
        ("page.nii.gz", "not a NIfTI file"),
        ("text.nii", "not a NIfTI file"),
        ("zipped_text.nii.gz", "not a NIfTI file, or its header is damaged"),
        ("picture.png", "not a NIfTI file"),
        ("shape.nii", "the file is damaged"),
    ],
)
def test_damaged_files_are_named(tmp_path, how, what):
    path = damaged(tmp_path, how)
    with pytest.raises(ClaraError, match=f"'{re.escape(path)}' cannot be read: .*{what}") as caught:
        LoadNiftid("image")({"image": path})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", ["empty.nii.gz", "empty.nii", "cut_early.nii.gz", "page.nii.gz", "text.nii",
                                 "zipped_text.nii.gz", "picture.png"])  # fmt: skip
def test_damaged_headers_are_named(tmp_path, how):
    path = damaged(tmp_path, how)
    with pytest.raises(ClaraError, match=f"'{re.escape(path)}' cannot be read: ") as caught:
        nifti_header(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ClaraError, match=r"nowhere.nii' does not exist: check DATA_ROOT"):
        nifti_header(str(tmp_path / "nowhere.nii"))


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_gzipped_file_may_be_named_nii(tmp_path, kind, oblique_affine):
    array = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    (tmp_path / "a.nii").write_bytes(gzip.compress(kind(array, oblique_affine).to_bytes()))
    found, header = read_nifti(str(tmp_path / "a.nii"), "float32"), nifti_header(str(tmp_path / "a.nii"))
    np.testing.assert_array_equal(found.data[0], array)
    assert (header.size, header.channels) == ((3, 4, 5), 1)
    np.testing.assert_array_equal(header.affine, found.affine)
    assert header.spacing == found.spacing


def test_other_bad_files(tmp_path):
    load = LoadNiftid("image")
    with pytest.raises(ClaraError, match=r"nowhere.nii.gz' does not exist: check DATA_ROOT and the data list"):
        load({"image": str(tmp_path / "nowhere.nii.gz")})
    with pytest.raises(ClaraError, match=r"is a folder without DICOM files in it, expected a NIfTI file or a folder"):
        load({"image": str(tmp_path)})
    analyze = tmp_path / "a.img"
    nibabel.save(nibabel.Spm2AnalyzeImage(volume(), np.eye(4)), analyze)
    with pytest.raises(ClaraError, match=r"a.img' is a .*Analyze.*, expected a NIfTI file"):
        load({"image": str(analyze)})
    with pytest.raises(ClaraError, match=r"\(4,\), expected an image of 2 to 4 axes"):
        load({"image": write(tmp_path / "line.nii", volume((4,)))})
    with pytest.raises(ClaraError, match=r"time series are not supported"):
        load({"image": write(tmp_path / "time.nii", volume((3, 3, 3, 4, 2)))})


@pytest.mark.parametrize("value", [3, None, [], [3.5], torch.zeros(1, 2, 2)])
def test_what_is_no_path(value):
    with pytest.raises(ClaraError, match=r"field 'image' holds .*expected the path of a NIfTI file"):
        LoadNiftid("image")({"image": value})


def test_fields():
    with pytest.raises(KeyError):
        LoadNiftid("image")({})
    assert LoadNiftid("image", allow_missing_keys=True)({"label": 1}) == {"label": 1}
    with pytest.raises(TypeError):
        LoadNiftid("image", dtype="complex129")


@pytest.mark.parametrize(
    ("shape", "first", "four"),
    [
        ((4, 5, 6, 3, 1), False, (4, 5, 6, 3)),
        ((4, 5, 6, 1, 3), False, (4, 5, 6, 3)),
        ((4, 5, 6, 1, 1), False, (4, 5, 6, 1)),
        ((3, 4, 5, 6, 1), True, (3, 4, 5, 6)),
    ],
)
def test_axes_of_one_are_no_time(tmp_path, shape, first, four):
    array = np.arange(float(np.prod(shape))).reshape(shape).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "a.nii")
    image = LoadNiftid("image", nii_is_channels_first=first)({"image": str(tmp_path / "a.nii")})["image"]
    expected = array.reshape(four)
    np.testing.assert_array_equal(image.numpy(), expected if first else np.moveaxis(expected, -1, 0))
    header = nifti_header(str(tmp_path / "a.nii"), first)
    assert (header.channels, *header.size) == image.shape
