"""What user code sees of a tensor, and what its arrays become."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine import properties
from clara_compat.engine.legacy.transform import LegacyTransform, RandomLegacyTransform, legacy_transform
from clara_compat.engine.legacy.views import from_context, to_context, to_medical_image, to_tensor
from clara_compat.errors import ClaraError

AFFINE = np.diag([1.0, 2.0, 3.0, 1.0])


def tensor(shape: tuple[int, ...], shape_format: str) -> MetaTensor:
    image = MetaTensor(torch.arange(float(np.prod(shape))).reshape(shape), affine=torch.from_numpy(AFFINE))
    properties.write(image, {"shape_format": shape_format, "file_name": "a.nii.gz"})
    return image


@pytest.mark.parametrize(
    ("inside", "shape_format", "seen"),
    [
        ((1, 2, 3, 4), "DHW", (2, 3, 4)),
        ((1, 2, 3, 4), "CDHW", (1, 2, 3, 4)),
        ((5, 2, 3, 4), "DHWC", (2, 3, 4, 5)),
        ((1, 2, 3), "HW", (2, 3)),
        ((3, 2, 4), "HWC", (2, 4, 3)),
        ((3, 2, 4), "CHW", (3, 2, 4)),
    ],
)
def test_the_view_has_the_layout_of_its_format_and_comes_back(inside: tuple, shape_format: str, seen: tuple) -> None:
    before = tensor(inside, shape_format)
    image = to_medical_image(before)
    assert image.get_data().shape == seen
    assert str(image.get_shape_format()) == shape_format
    assert image.get_property("file_name") == "a.nii.gz"
    np.testing.assert_array_equal(image.get_property("affine"), AFFINE)
    after = to_tensor(image, before, "image", "T")
    assert torch.equal(after.as_tensor(), before.as_tensor())
    assert properties.read(after) == properties.read(before)
    assert after.meta["filename_or_obj"] == "a.nii.gz"


def test_the_view_shares_memory() -> None:
    before = tensor((1, 2, 3, 4), "DHW")
    to_medical_image(before).get_data()[0, 0, 0] = 42.0
    assert before[0, 0, 0, 0] == 42.0


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.zeros((2, 3, 4), np.float16), torch.float32),
        (np.zeros((2, 3, 4), ">f4"), torch.float32),
        (np.zeros((2, 3, 4), np.uint16), torch.int32),
        (np.zeros((2, 3, 4), object), torch.float32),
        (np.zeros((2, 3, 4), bool), torch.bool),
        (np.zeros((4, 3, 2)).transpose()[::-1, :, ::-1], torch.float64),
    ],
)
def test_unusual_arrays_become_contiguous_native_ones(array: np.ndarray, dtype: torch.dtype) -> None:
    result = to_tensor(MedicalImage(array, "DHW"), None, "image", "Mine")
    assert result.dtype == dtype
    assert result.is_contiguous()
    assert result.shape == (1, 2, 3, 4)


def test_flipped_data_keep_their_values() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)[::-1]
    result = to_tensor(MedicalImage(array, "DHW"), None, "image", "Mine")
    np.testing.assert_array_equal(result.numpy()[0], array)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (MedicalImage(np.full((2, 2), "x"), "HW"), "Mine left an array of type <U1 in 'image'"),
        (MedicalImage(np.full((2, 2), object(), object), "HW"), "Mine left Python objects in 'image'"),
        (MedicalImage(np.zeros((1, 1, 2, 2)), "NCHW"), "Mine left 'image' in the format NCHW: batched"),
    ],
)
def test_what_no_tensor_can_hold_is_said_with_the_users_class(image: MedicalImage, message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        to_tensor(image, None, "image", "Mine")


def test_a_property_that_cannot_be_kept_is_named() -> None:
    image = MedicalImage(np.zeros((2, 2)), "HW")
    image.set_property("handle", object())
    with pytest.raises(ClaraError, match="Mine gave 'image' a property that cannot be kept: .*handle"):
        to_tensor(image, None, "image", "Mine")


def test_loaders_that_always_decode_get_their_path() -> None:
    context = to_context({"image": "/data/a.npy"})
    assert context["image"].decode("UTF-8") == "/data/a.npy"
    assert isinstance(context["image"], str)
    assert type(from_context(context, {}, "T")["image"]) is str


def test_paths_and_other_entries_pass_through() -> None:
    data = {"image": tensor((1, 2, 2), "HW"), "label": "b.npy", "points": [1, 2]}
    context = to_context(data)
    assert context["label"] == "b.npy"
    after = from_context(context, data, "T")
    assert after["points"] == [1, 2]
    assert after["label"] == "b.npy"


def test_a_loader_gets_paths_and_names_the_file() -> None:
    class Loader:
        def is_deterministic(self) -> bool:
            return True

        def transform(self, transform_ctx: TransformContext) -> TransformContext:
            transform_ctx.set_image("image", MedicalImage(np.ones((2, 3)), "HW"))
            return transform_ctx

    result = legacy_transform(Loader())({"image": "a.npy"})
    assert result["image"].shape == (1, 2, 3)
    assert result["image"].meta["filename_or_obj"] == "a.npy"


def test_determinism_decides_what_may_be_cached() -> None:
    class Noise:
        def __init__(self, deterministic: bool) -> None:
            self.deterministic = deterministic

        def is_deterministic(self) -> bool:
            return self.deterministic

        def transform(self, transform_ctx: TransformContext) -> None:
            transform_ctx.get_image("image").get_data()[:] += 1

    assert type(legacy_transform(Noise(True))) is LegacyTransform
    random = legacy_transform(Noise(False))
    assert type(random) is RandomLegacyTransform
    before = tensor((1, 2, 2), "HW").clone()
    assert torch.equal(random({"image": before.clone()})["image"].as_tensor(), before.as_tensor() + 1)


def test_a_wrong_return_value_is_said() -> None:
    class Wrong:
        def transform(self, transform_ctx: TransformContext) -> int:
            return 3

    with pytest.raises(ClaraError, match="Wrong.transform returned a int: expected the TransformContext"):
        legacy_transform(Wrong())({"image": tensor((1, 2, 2), "HW")})
    with pytest.raises(ClaraError, match=r"int has no method transform\(self, transform_ctx\)"):
        legacy_transform(3)
