"""A folder with a DICOM series: voxels and geometry against ITK reading each slice by itself."""

from __future__ import annotations

import shutil

import itk
import nibabel
import numpy as np
import pytest

from clara_compat.engine import properties
from clara_compat.engine.readers.scan import read_scan, scan_header
from clara_compat.engine.transforms.load_nifti import LoadNiftid
from clara_compat.errors import ClaraError

VOLUME = np.random.default_rng(0).integers(-1000, 1000, (7, 6, 5)).astype(np.int16)


def check_against_single_slices(folder, data, affine, ras_of_itk):
    """Every voxel of every file is found at its own RAS mm, whatever the order of the files."""
    files = list(folder.glob("*.dcm"))
    assert len(files) == data.shape[2]
    inverse = np.linalg.inv(affine)
    for file in files:
        image = itk.imread(str(file))
        values = itk.array_view_from_image(image)
        for index in [(0, 0, 0), (6, 0, 0), (3, 5, 0)]:
            place = inverse @ [*ras_of_itk(image, index), 1]
            np.testing.assert_allclose(place[:3], np.rint(place[:3]), atol=1e-5)
            assert data[tuple(np.rint(place[:3]).astype(int))] == values[index[::-1]]


@pytest.mark.parametrize("tilt", [0, 0.7])
def test_a_series(dicom_series, ras_of_itk, oblique_affine, tilt):
    folder = dicom_series(VOLUME, oblique_affine, tilt=tilt)
    (folder / "notes.txt").write_text("not a slice")
    image = LoadNiftid("image")({"image": str(folder)})["image"]
    assert image.shape == (1, 7, 6, 5)
    check_against_single_slices(folder, image.numpy()[0], image.affine.numpy(), ras_of_itk)
    found = properties.read(image)
    assert found["spacing"] == pytest.approx(np.linalg.norm(image.affine.numpy()[:3, :3], axis=0), rel=1e-6)
    assert (found["file_format"], found["shape_format"], found["original_shape"]) == ("dicom", "DHW", (7, 6, 5))
    assert (found["file_name"], image.meta["filename_or_obj"]) == (str(folder), str(folder))
    header = scan_header(str(folder))
    assert (header.size, header.channels) == ((7, 6, 5), 1)
    assert header.spacing == pytest.approx(found["spacing"])
    np.testing.assert_allclose(header.affine, image.affine.numpy())


@pytest.mark.parametrize("dtype", ["float32", "int16", "float64"])
def test_values_are_in_the_units_of_the_modality(dicom_series, dtype):
    folder = dicom_series(VOLUME, np.eye(4), rescale=(2, -1024))
    image = LoadNiftid("image", dtype=dtype)({"image": str(folder)})["image"]
    assert str(image.dtype) == f"torch.{dtype}"
    stored = [np.frombuffer((folder / f"{k * 7 % 10}_1.dcm").read_bytes()[-84:], "<i2").reshape(6, 7) for k in range(5)]
    np.testing.assert_array_equal(image.numpy()[0].T, 2.0 * np.stack(stored) - 1024)


def test_one_slice_and_one_file_of_many_slices(dicom_series, tmp_path):
    one = read_scan(str(dicom_series(VOLUME[:, :, :1], np.diag([-2.0, -3, 4, 1]))), np.float32)
    np.testing.assert_array_equal(one.data[0], VOLUME[:, :, :1])
    np.testing.assert_allclose(one.spacing[:2], [2, 3])
    (tmp_path / "many").mkdir()
    image = itk.image_from_array(np.ascontiguousarray((VOLUME + 1000).astype(np.uint16).T))
    image.SetSpacing([2.0, 3.0, 4.0])
    itk.imwrite(image, str(tmp_path / "many" / "a.dcm"))
    many = read_scan(str(tmp_path / "many"), np.float32)
    np.testing.assert_array_equal(many.data[0], VOLUME + 1000)
    np.testing.assert_allclose(many.affine, np.diag([-2.0, -3, 4, 1]))
    assert scan_header(str(tmp_path / "many")).size == (7, 6, 5)


def test_canonical(dicom_series, oblique_affine):
    folder = dicom_series(VOLUME, oblique_affine[:, [2, 0, 1, 3]])
    plain = read_scan(str(folder), np.float32)
    expected = nibabel.as_closest_canonical(nibabel.Nifti1Image(plain.data[0], plain.affine))
    found = read_scan(str(folder), np.float32, as_closest_canonical=True)
    np.testing.assert_array_equal(found.data[0], expected.get_fdata())
    np.testing.assert_allclose(found.affine, expected.affine, atol=1e-6)
    np.testing.assert_allclose(found.original_affine, plain.affine)
    header = scan_header(str(folder), as_closest_canonical=True)
    assert header.size == expected.shape
    np.testing.assert_allclose(header.affine, expected.affine, atol=1e-6)


def colour(series, tmp_path):
    folder = series(VOLUME[:, :, :0], np.eye(4))
    picture = np.zeros((1, 4, 4, 3), np.uint8)
    itk.imwrite(itk.image_from_array(picture, is_vector=True), str(folder / "a.dcm"))
    return folder


def cut(series, tmp_path):
    folder = series(VOLUME, np.eye(4))
    last = folder / f"{4 * 7 % 10}_1.dcm"
    last.write_bytes(last.read_bytes()[:-40])
    return folder


def mixed(series, tmp_path):
    series(VOLUME, np.eye(4), uid="1.2.3.2")
    return series(VOLUME, np.eye(4))


def twice(series, tmp_path):
    folder = series(VOLUME, np.eye(4))
    for file in list(folder.glob("*.dcm")):
        shutil.copy(file, folder / f"copy{file.name}")
    return folder


def two_sizes(series, tmp_path):
    series(np.concatenate([VOLUME, VOLUME]), np.eye(4), uid="1.2.3.2", skip=(0, 1, 2, 3))
    return series(VOLUME, np.eye(4), uid="1.2.3.1", skip=(4,))


def two_directions(series, tmp_path):
    def rename(folder):
        for file in folder.glob("*.dcm"):
            file.rename(folder / f"turned{file.name}")

    rename(series(VOLUME, np.eye(4)[[1, 0, 2, 3]] * 1.0, skip=(3, 4)))
    return series(VOLUME, np.eye(4), skip=(0, 1, 2))


WRONG = {
    "empty": (lambda series, tmp: series(VOLUME[:, :, :0], np.eye(4)), "is a folder without DICOM files in it"),
    "a missing slice": (lambda series, tmp: series(VOLUME, np.eye(4), skip=(2,)), "lie 1 to 2 mm apart.*missing"),
    "every slice twice": (twice, "mm apart, .*more than one volume"),
    "two series": (mixed, "holds 2 DICOM series, expected one"),
    "two sizes": (two_sizes, "holds 2 DICOM series"),
    "two directions": (two_directions, "not of one volume: .* has another size or direction"),
    "colour": (colour, "is in colour, expected one value per voxel"),
    "a damaged slice": (cut, "dcm' is a DICOM file that is damaged or no image"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_folders_that_are_no_volume(dicom_series, tmp_path, case):
    make, what = WRONG[case]
    folder = str(make(dicom_series, tmp_path))
    for read in (scan_header, lambda path: read_scan(path, np.float32)):
        with pytest.raises(ClaraError, match=what) as caught:
            read(folder)
        assert "\n" not in str(caught.value)
