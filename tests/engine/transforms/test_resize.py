from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import ndimage

from clara_compat.common.resampling import scaled_size
from clara_compat.engine import properties
from clara_compat.engine.transforms.resize import ResizeByFactord, ResizeImaged, ResizeToOriginalShaped, ResizeToShaped
from clara_compat.errors import ClaraError

LINEAR, NEAREST = "linear", "nearest-exact"


@pytest.mark.parametrize(
    ("size", "factors", "expected"),
    [
        ((10, 11, 12), (0.5, 0.5, 0.5), (5, 6, 6)),  # 5.5 to even
        ((5, 7, 9), (0.5, 1.5, 0.1), (2, 10, 1)),  # 2.5, 10.5: to even; 0.9
        ((3, 512), (0.1, 0.785156), (1, 402)),
        ((30, 10), (0.35, 0.05), (10, 1)),  # 10.5 (in binary 10.499...) to even; 0.5 to even is 0, so 1
    ],
)
def test_new_size(size, factors, expected):
    assert scaled_size(size, factors) == expected
    exact = [n * Fraction(str(factor)) for n, factor in zip(size, factors, strict=True)]
    assert expected == tuple(max(1, round(number)) for number in exact)  # a Fraction is rounded half to even
    out = ResizeByFactord("image", factors)({"image": torch.zeros(2, *size)})["image"]
    assert out.shape == (2, *expected)


def reference(array, size, mode):
    """float64, both grids over the same extent; nearest: the old voxel in which the new centre lies."""
    if mode == NEAREST:
        index = [
            [floor((i + Fraction(1, 2)) * n / m) for i in range(m)] for n, m in zip(array.shape, size, strict=True)
        ]
        return array[np.ix_(*index)]
    centres = [(np.arange(m) + 0.5) * n / m - 0.5 for n, m in zip(array.shape, size, strict=True)]
    places = np.meshgrid(*centres, indexing="ij")
    return ndimage.map_coordinates(array.astype(np.float64), places, order=1, mode="nearest")


@pytest.fixture
def image(oblique_affine):
    """Two channels of noise in an oblique frame, with properties."""

    def make(size, dtype=np.float32):
        values = np.random.default_rng(0).uniform(-1000, 1000, (2, *size)).astype(dtype)
        tensor = MetaTensor(torch.from_numpy(values), affine=torch.from_numpy(oblique_affine.copy()))
        properties.write(tensor, {"file_name": "case.nii", "original_affine": oblique_affine})
        return tensor

    return make


@pytest.mark.parametrize("mode", [LINEAR, NEAREST])
@pytest.mark.parametrize(
    ("size", "make", "new"),
    [
        ((9, 11, 8), lambda mode: ResizeByFactord("image", 1.5, mode), (14, 16, 12)),
        ((9, 11), lambda mode: ResizeByFactord("image", [0.5, 2], mode), (4, 22)),
        ((9, 11, 8), lambda mode: ResizeToShaped("image", [5, 30, 8], mode), (5, 30, 8)),
        ((9, 11), lambda mode: ResizeToShaped(["image"], (20, 7), [mode]), (20, 7)),
        ((9, 11, 8), lambda mode: ResizeToOriginalShaped("image", "scan", mode), (12, 6, 17)),
        ((9, 11), lambda mode: ResizeToOriginalShaped("image", "slice", mode), (12, 6)),
    ],
)
def test_voxels_affine_and_properties(image, size, make, new, mode):
    item = {"image": image(size), "scan": image((1, 1, 1)), "slice": image((1, 1)), "other": 1}
    properties.update(item["scan"], original_shape=(12, 6, 17, 2), original_shape_format="DHWC")
    properties.update(item["slice"], original_shape=[12, 6], original_shape_format="HW")
    given, old = item["image"], item["image"].affine.numpy()
    out = make(mode)(item)
    assert item["image"] is given
    assert (out["scan"], out["other"]) == (item["scan"], 1)
    out = out["image"]
    for channel, before in zip(out.numpy(), given.numpy(), strict=True):
        assert np.abs(channel - reference(before, new, mode)).max() <= (2e-4 if mode == LINEAR else 0)
    rank = len(size)
    for edge in (np.zeros(rank), np.ones(rank)):  # the outer corners of the extent are the same points
        points = [
            matrix[:3, :rank] @ (edge * n - 0.5) + matrix[:3, 3]
            for matrix, n in ((out.affine.numpy(), new), (old, size))
        ]
        np.testing.assert_allclose(*points, atol=1e-9)
    known = properties.read(out)
    assert known["file_name"] == "case.nii"
    np.testing.assert_array_equal(known["original_affine"], old)
    np.testing.assert_allclose(known["spacing"], np.array([0.8, 1.5, 4.0][:rank]) * size / new)


def test_data_types():
    label = {"label": torch.ones(1, 4, 4, dtype=torch.uint8)}
    assert ResizeByFactord("label", 2, NEAREST)(label)["label"].dtype == torch.uint8
    assert ResizeByFactord("label", 2)(label)["label"].dtype == torch.float32
    double = {"image": torch.ones(1, 4, 4, dtype=torch.float64)}
    assert ResizeToShaped("image", (3, 3))(double)["image"].dtype == torch.float64


def test_an_image_that_fits_gets_the_type(image):
    item = {"image": image((4, 5), np.int16)}
    before = item["image"].as_tensor().clone()
    out = ResizeToShaped("image", (4, 5))(item)["image"]
    assert out.dtype == torch.float32
    assert torch.equal(out.as_tensor(), before.to(torch.float32))
    assert torch.equal(out.affine, item["image"].affine)
    assert properties.read(out)["file_name"] == "case.nii"
    assert ResizeToShaped("image", (4, 5), NEAREST)(item)["image"] is item["image"]


def test_nothing_to_do(image):
    item = {"image": image((4, 5))}
    for transform in (ResizeByFactord("image", 1), ResizeToShaped("image", (4, 5))):
        assert transform(item)["image"] is item["image"]


def test_there_and_back(image):
    """The affine is the file's again, whatever size lay between."""
    item = {"image": image((9, 11, 8))}
    properties.update(item["image"], original_shape=(9, 11, 8), original_shape_format="DHW")
    item["model"] = ResizeByFactord("image", [0.3, 1.7, 2])(item)["image"]
    out = ResizeToOriginalShaped("model", "image")(item)["model"]
    assert out.shape == (2, 9, 11, 8)
    np.testing.assert_allclose(out.affine.numpy(), item["image"].affine.numpy(), atol=1e-9)


def test_a_prediction_without_metadata(image):
    item = {"image": image((3, 3, 3)), "model": torch.rand(4, 3, 3, 3)}
    properties.update(item["image"], original_shape=(2, 6, 7, 5), original_shape_format="CDHW")
    out = ResizeToOriginalShaped("model", "image")(item)["model"]
    assert type(out) is torch.Tensor
    assert out.shape == (4, 6, 7, 5)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({}, r"'image' has no property 'original_shape': name a field that a loader such as LoadNifti loaded"),
        (
            {"original_shape": (5, 5, 2), "original_shape_format": "HWC"},
            r"'model' has 3 spatial axes, but 'image' has the original shape \[5, 5, 2\] \(HWC\)",
        ),
        (
            {"original_shape": (5, 5, 5, 2)},
            r"'model' has 3 spatial axes, .* \[5, 5, 5, 2\]: set its property 'original_shape_format' in the loader",
        ),
    ],
)
def test_an_original_shape_that_does_not_help(image, known, message):
    item = {"image": image((3, 3, 3)), "model": torch.rand(1, 3, 3, 3)}
    properties.update(item["image"], **known)
    with pytest.raises(ClaraError, match=message):
        ResizeToOriginalShaped("model", "image")(item)


def test_the_format_may_be_left_out_where_it_says_nothing(image):
    item = {"image": image((3, 3)), "model": torch.rand(1, 3, 3)}
    properties.update(item["image"], original_shape=np.array([4, 6]))
    assert ResizeToOriginalShaped("model", "image")(item)["model"].shape == (1, 4, 6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ResizeByFactord("image", 0), "a factor must be a positive number, got 0"),
        (lambda: ResizeByFactord("image", [1, float("nan")]), r"positive number, got \[1, nan\]"),
        (lambda: ResizeByFactord("image", 2, "cubic"), "unknown interpolation .*cubic"),
        (lambda: ResizeToShaped("image", [4, 0, 4]), r"positive numbers of voxels, got \[4, 0, 4\]"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ClaraError, match=message):
        make()


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (ResizeByFactord("image", [2, 2]), "there are 2 factors, but field 'image' has 3 spatial axes"),
        (ResizeToShaped("image", [4, 4]), r"\[4, 4\] has 2 numbers, but field 'image' has 3 spatial axes"),
        (ResizeToOriginalShaped("image", "scan"), "'scan', whose original shape is needed, is not there"),
    ],
)
def test_images_that_do_not_fit(transform, message):
    with pytest.raises(ClaraError, match=message):
        transform({"image": torch.zeros(1, 2, 2, 2)})


def test_missing_keys_and_the_base():
    assert ResizeByFactord(["a", "b"], 2, allow_missing_keys=True)({"a": torch.zeros(1, 2, 2)})["a"].shape == (1, 4, 4)
    with pytest.raises(NotImplementedError, match="ResizeImaged does not say which size"):
        ResizeImaged("a")({"a": torch.zeros(1, 2, 2)})
