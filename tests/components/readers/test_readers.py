"""The readers that user code calls: what they give, against nibabel and Pillow."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from PIL import Image

from ai4med.libs.readers.color_image_reader import ColorImageReader
from ai4med.libs.readers.jpg_reader import JpgReader
from ai4med.libs.readers.nifti_reader import NiftiReader
from ai4med.libs.readers.png_reader import PngReader
from clara_compat.common.medical_image import MedicalImage
from clara_compat.errors import ClaraError


@pytest.fixture
def nifti(tmp_path, oblique_affine):
    def write(shape, name="a.nii.gz", seed=0):
        array = np.random.default_rng(seed).integers(-100, 100, shape).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(array, oblique_affine), tmp_path / name)
        return str(tmp_path / name), array

    return write


@pytest.fixture
def picture(tmp_path):
    def write(name, channels=1):
        array = np.random.default_rng(0).integers(0, 255, (5, 7, channels)).astype(np.uint8).squeeze()
        Image.fromarray(array).save(tmp_path / name)
        return str(tmp_path / name), np.asarray(Image.open(tmp_path / name))

    return write


@pytest.mark.parametrize(("shape", "layout"), [((4, 5, 6), "DHW"), ((4, 5), "HW"), ((4, 5, 6, 2), "DHWC")])
def test_nifti(nifti, oblique_affine, shape, layout):
    path, array = nifti(shape)
    for file_name in (path, path.encode()):
        image = NiftiReader().read(file_name)
        assert isinstance(image, MedicalImage)
        assert image.get_shape_format() == layout
        assert image.get_data().dtype == np.float32
        np.testing.assert_array_equal(image.get_data(), array)
        np.testing.assert_allclose(image.get_property("affine"), oblique_affine, atol=1e-4)
        assert image.get_property("file_name") == path
        assert image.get_property("original_shape") == shape
        assert image.get_property("spacing") == pytest.approx((0.8, 1.5, 4.0)[: min(len(shape), 3)], rel=1e-5)


def test_nifti_with_channels_first(nifti):
    path, array = nifti((2, 4, 5, 6))
    for image in (NiftiReader(nii_is_channels_first=True).read(path), NiftiReader().read(path, "CDHW")):
        assert image.get_shape_format() == "CDHW"
        np.testing.assert_array_equal(image.get_data(), array)
    assert NiftiReader(nii_is_channels_first=True).read(path, "DHWC").get_shape_format() == "DHWC"
    with pytest.raises(ClaraError, match=r"a.nii.gz' has the shape format DHW, but CDHW was asked for"):
        NiftiReader().read(nifti((4, 5, 6))[0], "CDHW")


def test_nifti_canonical_and_dtype(nifti):
    path, _ = nifti((4, 5, 6))
    image = NiftiReader(np.float64, as_closest_canonical=True).read(path)
    expected = nibabel.as_closest_canonical(nibabel.load(path))
    np.testing.assert_array_equal(image.get_data(), expected.get_fdata())
    np.testing.assert_allclose(image.get_property("affine"), expected.affine)
    assert image.get_property("as_canonical") is True


def test_a_list_gives_channels(nifti):
    files = [nifti((4, 5, 6), f"{i}.nii", i) for i in range(3)]
    image = NiftiReader().read([path for path, _ in files])
    assert image.get_shape_format() == "CDHW"
    np.testing.assert_array_equal(image.get_data(), np.stack([array for _, array in files]))


@pytest.mark.parametrize(("reader", "name"), [(PngReader, "a.png"), (JpgReader, "a.jpg")])
def test_pictures(picture, reader, name):
    path, array = picture(name)
    image = reader("uint8").read(path)
    assert image.get_shape_format() == "HW"
    np.testing.assert_array_equal(image.get_data(), array)
    assert image.get_data().dtype == np.uint8
    path, array = picture(name, 3)
    image = reader().read(path)
    assert image.get_shape_format() == "HWC"
    np.testing.assert_array_equal(image.get_data(), array)
    np.testing.assert_array_equal(image.get_property("affine"), np.eye(4))


def test_colour_pictures(picture):
    path, array = picture("a.png", 3)
    np.testing.assert_array_equal(ColorImageReader().read(path).get_data(), array)
    path, grey = picture("b.jpg")
    for shape in (None, "HWC"):
        image = ColorImageReader().read(path, shape)
        assert image.get_shape_format() == "HWC"
        np.testing.assert_array_equal(image.get_data(), np.stack([grey] * 3, axis=-1))
    assert ColorImageReader().read(path, "HW").get_shape_format() == "HW"
    assert ColorImageReader().read([path, path]).get_shape_format() == "CHW"


def test_what_is_missing(tmp_path):
    with pytest.raises(ClaraError, match="nowhere.png' does not exist"):
        PngReader().read(str(tmp_path / "nowhere.png"))
