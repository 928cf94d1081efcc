from __future__ import annotations

import monai.transforms
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties
from clara_compat.engine.transforms.scale_intensity_range import ScaleIntensityRanged

RANGES = [
    (-57, 164, 0.0, 1.0),
    (-57, 164, -1, 3),
    (0, 255, 1, 0),  # inverts
    (1000.5, -1000, 0.1, 0.7),
    (0, 1, 1000, 1001),
    (-5, 5, 2, 2),
    (32000, 32010, 0, 1),
]


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("window", RANGES)
@pytest.mark.parametrize("size", [(1, 9, 8, 7), (3, 11, 6)])
def test_formula(size, window, clip):
    a_min, a_max, b_min, b_max = window
    around = (a_min + a_max) / 2, 3 * abs(a_max - a_min)
    x = np.random.default_rng(0).normal(*around, size).astype(np.float32)
    x.flat[:2] = a_min, a_max
    out = ScaleIntensityRanged("image", *window, clip)({"image": torch.from_numpy(x)})["image"].numpy()
    expected = (x.astype(np.float64) - a_min) / (a_max - a_min) * (b_max - b_min) + b_min
    if clip:
        low, high = sorted((b_min, b_max))
        expected = np.clip(expected, low, high)
        assert out.min() == np.float32(low)
        assert out.max() == np.float32(high)
    assert np.abs(out - expected).max() <= 1e-6 * max(np.ptp(expected), abs(expected).max())
    assert out.flat[0] == np.float32(b_min)


@pytest.mark.parametrize("given", ["float16", "float32", "float64", "uint8", "int16", "int32", "int64"])
@pytest.mark.parametrize("wanted", ["float16", "float32", "float64", "uint8", "int16", "int32", "int64", None, np.int8])
@pytest.mark.parametrize("clip", [True, False])
def test_any_data_type(given, wanted, clip):
    x = torch.arange(0, 101).to(getattr(torch, given)).reshape(1, 101, 1)
    out = ScaleIntensityRanged("image", 10, 90, 20, 100, clip, wanted)({"image": x})["image"]
    expected = (torch.arange(0, 101, dtype=torch.float64) - 10) / 80 * 80 + 20
    expected = expected.clamp(20, 100) if clip else expected
    assert out.dtype == (getattr(torch, np.dtype(wanted).name) if wanted else x.dtype)
    torch.testing.assert_close(out.flatten().double(), expected, rtol=0, atol=1e-5 if out.is_floating_point() else 1)


def test_float64_is_calculated_in_float64():
    x = torch.rand(1, 30, 30, dtype=torch.float64)
    expected = (x - 0.1) / 0.6 * 5 - 2
    for image, dtype in ((x, "float64"), (x, None), (x.float(), "float64")):
        out = ScaleIntensityRanged("image", 0.1, 0.7, -2, 3, dtype=dtype)({"image": image})["image"]
        torch.testing.assert_close(out, expected, rtol=0, atol=1e-6 if image is not x else 1e-14)


def test_the_same_as_monai():
    item = {"image": MetaTensor(torch.randn(2, 9, 8, 7) * 300)}
    arguments = {"a_min": -57, "a_max": 164, "b_min": -1.0, "b_max": 2.0}
    for more in ({}, {"clip": True}, {"clip": True, "dtype": np.int16}):
        ours, theirs = (
            cls("image", **arguments, **more)(item)["image"]
            for cls in (ScaleIntensityRanged, monai.transforms.ScaleIntensityRanged)
        )
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_the_input_its_metadata_and_the_rest_stay():
    image = MetaTensor(torch.rand(5, 4, 3).permute(2, 0, 1), affine=torch.eye(4) * 3)
    properties.write(image, {"file_name": "a.nii"})
    item, before = {"image": image, "label": torch.ones(1)}, image.clone()
    out = ScaleIntensityRanged(["image", "second"], 0, 1, 0, 2, allow_missing_keys=True)(item)
    assert torch.equal(item["image"].as_tensor(), before.as_tensor())
    assert out["image"].untyped_storage().data_ptr() != image.untyped_storage().data_ptr()
    assert properties.read(out["image"])["file_name"] == "a.nii"
    assert torch.equal(out["image"].affine, image.affine)
    assert out["label"] is item["label"]
    torch.testing.assert_close(out["image"].as_tensor(), before.as_tensor() * 2)


def test_what_is_no_number_stays_so():
    x = torch.tensor([[float("nan"), float("inf"), -float("inf")]])
    out = ScaleIntensityRanged("image", 0, 2, 0, 1, True)({"image": x})["image"]
    assert out[0, 0].isnan()
    assert out[0, 1:].tolist() == [1, 0]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="a_min and a_max are both 5, expected two different intensities"):
        ScaleIntensityRanged("image", 5, 5, 0, 1)
