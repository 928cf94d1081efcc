"""MedicalImage: no copies, properties carried over, rank checked."""

from __future__ import annotations

import numpy as np
import pytest

from clara_compat.common.constants import ImageProperty
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.shape_format import ShapeFormat


@pytest.fixture
def image():
    image = MedicalImage(np.arange(24.0).reshape(2, 3, 4), "DHW")
    image.set_property(ImageProperty.AFFINE, np.eye(4))
    image.set_property("note", ["a"])
    return image


def test_holds_the_array_itself():
    data = np.zeros((2, 3))
    image = MedicalImage(data, ShapeFormat.HW)
    assert image.get_data() is data
    image.get_data()[0, 0] = 5
    assert data[0, 0] == 5
    assert image.get_shape() == (2, 3)
    assert image.get_shape_format() is ShapeFormat.HW


def test_views_what_is_not_an_array():
    torch = pytest.importorskip("torch")
    tensor = torch.zeros(2, 3)
    MedicalImage(tensor, "HW").get_data()[1, 2] = 7
    assert tensor[1, 2] == 7
    np.testing.assert_array_equal(MedicalImage([[1, 2], [3, 4]], "HW").get_data(), [[1, 2], [3, 4]])


def test_set_data_replaces_data_and_format(image):
    image.set_data(np.ones((1, 2, 3, 4)), "CDHW")
    assert image.get_shape() == (1, 2, 3, 4)
    assert image.get_shape_format() is ShapeFormat.CDHW
    assert image.get_property("note") == ["a"]


def test_new_image_carries_over_all_properties(image):
    other = image.new_image(np.ones((4, 5)), ShapeFormat.HW)
    assert other.get_properties() == image.get_properties()
    assert other.get_property("note") is image.get_property("note")
    other.set_property("more", 1)
    assert not image.has_property("more")


@pytest.mark.parametrize("name", ["copy", "clone"])
def test_copy_shares_nothing(image, name):
    other = getattr(image, name)()
    other.get_data()[:] = 0
    other.get_property("note").append("b")
    other.get_property(ImageProperty.AFFINE)[:] = 0
    assert image.get_data().max() == 23
    assert image.get_property("note") == ["a"]
    assert image.get_property("affine").trace() == 4
    assert other.get_shape_format() is image.get_shape_format()


def test_properties(image):
    assert image.get_property("missing") is None
    assert image.get_property("missing", 3) == 3
    assert image.has_property("affine")
    given = {"a": 1}
    image.set_properties(given)
    given["b"] = 2
    assert image.get_properties() == {"a": 1}


@pytest.mark.parametrize("change", [MedicalImage, lambda *a: MedicalImage(np.zeros((1, 1)), "HW").set_data(*a)])
@pytest.mark.parametrize(
    ("shape", "layout", "message"),
    [
        ((4, 5), "DHW", r"shape \(4, 5\) has 2 axes, but shape format DHW has 3; formats of 2 axes are HW$"),
        ((2, 3, 4), "HW", r"has 3 axes, but shape format HW has 2; formats of 3 axes are DHW, HWC, CHW, NHW"),
        ((), "HW", r"shape \(\) has 0 axes, but shape format HW has 2$"),
        ((4, 5), "WH", r"'WH' is not a shape format.*did you mean"),
    ],
)
def test_rank_must_fit_the_format(change, shape, layout, message):
    with pytest.raises(ValueError, match=message):
        change(np.zeros(shape), layout)


def test_a_failed_set_data_changes_nothing(image):
    before = image.get_data()
    with pytest.raises(ValueError, match="has 1 axes"):
        image.set_data(np.zeros(3), "DHW")
    assert image.get_data() is before


def test_says_what_it_is(image):
    assert repr(image) == "MedicalImage(shape=(2, 3, 4), dtype=float64, shape_format=DHW)"
