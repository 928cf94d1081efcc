from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import stats

from clara_compat.engine import properties
from clara_compat.engine.transforms.scale_shift_intensity import RandScaleShiftIntensityd

DRAWS = 2000


def uniform(values, low, high):
    assert low <= values.min() < low + 0.02 * (high - low)
    assert high - 0.02 * (high - low) < values.max() <= high
    assert values.mean() == pytest.approx((low + high) / 2, abs=5 * (high - low) / np.sqrt(12 * values.size))
    assert values.var() == pytest.approx((high - low) ** 2 / 12, rel=0.1)
    assert stats.kstest(values.ravel(), stats.uniform(low, high - low).cdf).pvalue > 1e-4


@pytest.fixture
def item():
    rng = np.random.default_rng(0)
    return {
        "image": MetaTensor(torch.from_numpy(rng.normal(50, 20, (3, 4, 5, 6)))),
        "second": torch.from_numpy(rng.normal(-3, 1, (1, 9, 9))),
        "label": torch.ones(1, 4, 5, 6),
    }


def drawn(before, after):
    """The scale and the shift of each channel, from a straight line through old and new values."""
    fits = [np.polyfit(x.ravel(), y.ravel(), 1) for x, y in zip(before, after, strict=True)]
    slopes, offsets = np.array(fits).T
    return slopes, offsets / (slopes * before.reshape(len(before), -1).std(axis=1))


def test_law(item):
    transform = RandScaleShiftIntensityd(["image", "second"], scale=0.2, shift=0.5).set_random_state(0)
    values = []
    for _ in range(DRAWS):
        out = transform(item)
        fields = [drawn(item[key].numpy(), out[key].numpy()) for key in ("image", "second")]
        values.append([np.concatenate(parts) for parts in zip(*fields, strict=True)])
    values = np.array(values)  # draws, (scale, shift), channels of both fields
    uniform(values[:, 0], 0.8, 1.2)
    uniform(values[:, 1], -0.5, 0.5)
    together = np.corrcoef(values.reshape(DRAWS, -1).T)
    assert np.abs(together - np.eye(8)).max() < 5 / np.sqrt(DRAWS)  # scale, shift, channels, fields: independent


def test_the_input_and_its_metadata_stay(item):
    item["image"].affine = torch.eye(4) * 3
    properties.write(item["image"], {"file_name": "a.nii"})
    before = {key: value.clone() for key, value in item.items()}
    out = RandScaleShiftIntensityd("image")(item)
    for key, value in before.items():
        assert torch.equal(torch.as_tensor(item[key]), torch.as_tensor(value))
    assert properties.read(out["image"])["file_name"] == "a.nii"
    assert torch.equal(out["image"].affine, item["image"].affine)
    assert out["label"] is item["label"]
    assert not torch.equal(out["image"].as_tensor(), item["image"].as_tensor())


def test_probability_and_whole_numbers():
    item = {"image": torch.arange(60).reshape(1, 3, 4, 5)}
    transform = RandScaleShiftIntensityd("image", prob=0.25).set_random_state(0)
    changed = sum(transform(item)["image"].is_floating_point() for _ in range(DRAWS))
    assert changed / DRAWS == pytest.approx(0.25, abs=0.05)


def test_a_constant_image_is_only_scaled():
    out = RandScaleShiftIntensityd("image", shift=100.0).set_random_state(0)({"image": torch.full((1, 4, 4), 10.0)})
    assert 9.0 <= out["image"].min() == out["image"].max() <= 11.0


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"at least 0, got -0.1 and 0.1"):
        RandScaleShiftIntensityd("image", scale=-0.1)
