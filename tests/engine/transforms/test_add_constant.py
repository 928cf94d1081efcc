"""One constant per image, whatever the image's type."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import stats

from clara_compat.engine import properties
from clara_compat.engine.transforms.add_constant import RandAddConstantd


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int16, torch.uint8])
def test_law(dtype: torch.dtype) -> None:
    """U(-magnitude, magnitude), by itself for each field; whole numbers neither round nor wrap."""
    item = {name: MetaTensor(torch.full((1, 2, 2), 3, dtype=dtype)) for name in ("a", "b")}
    transform = RandAddConstantd(["a", "b"], 0.4).set_random_state(0)
    drawn = []
    for _ in range(2000):
        out = transform(item)
        assert out["a"].dtype == torch.float32
        assert float(np.ptp(out["a"].numpy())) == 0
        drawn.append([float(out[name][0, 0, 0]) - 3 for name in ("a", "b")])
    values = np.array(drawn)
    assert np.abs(values).max() <= 0.4 + 1e-6
    assert stats.kstest(values.ravel(), stats.uniform(-0.4, 0.8).cdf).pvalue > 1e-4
    assert abs(np.corrcoef(values.T)[0, 1]) < 5 / np.sqrt(2000)
    assert item["a"].dtype == dtype


def test_probability_is_each_fields_own_and_the_cast_is_made_anyway() -> None:
    item = {name: torch.zeros(1, 2, 2, dtype=torch.int16) for name in ("a", "b")}
    transform = RandAddConstantd(["a", "b"], 1.0, prob=0.25).set_random_state(0)
    outs = [transform(item) for _ in range(2000)]
    assert {out["a"].dtype for out in outs} == {torch.float32}
    moved = np.array([[bool(out[name].any()) for name in ("a", "b")] for out in outs])
    assert moved.mean(axis=0) == pytest.approx([0.25, 0.25], abs=5 * np.sqrt(0.25 * 0.75 / 2000))
    assert moved.all(axis=1).mean() == pytest.approx(0.0625, abs=5 * np.sqrt(0.0625 * 0.9375 / 2000))


def test_whole_number_results_are_rounded_and_do_not_wrap() -> None:
    item = {"a": torch.tensor([[[0, 3, 250, 255]]], dtype=torch.uint8)}
    transform = RandAddConstantd("a", 40, dtype="uint8").set_random_state(0)
    steps = np.random.RandomState(0)
    for _ in range(200):
        out = transform(item)["a"]
        steps.rand()  # whether
        step = round(steps.uniform(-40, 40))
        assert out.dtype == torch.uint8
        assert out.flatten().tolist() == np.clip(np.array([0, 3, 250, 255]) + step, 0, 255).tolist()
    for name in ("int8", "int16", "uint16", "int32", "int64", "float16", "float64"):
        out = RandAddConstantd("a", 0.0, dtype=name)({"a": torch.full((1, 2, 2), 7.0)})["a"]
        assert out.dtype == getattr(torch, name)
        assert out.unique().tolist() == [7]


def test_a_new_tensor_with_the_metadata(oblique_affine: np.ndarray) -> None:
    image = MetaTensor(torch.zeros(1, 4, 4), affine=torch.from_numpy(oblique_affine))
    properties.write(image, {"shape_format": "HW"})
    out = RandAddConstantd("a", 1.0).set_random_state(1)({"a": image})["a"]
    assert out.unique().numel() == 1
    assert out.any()
    assert not image.any()
    assert torch.equal(out.affine, image.affine)
    assert properties.read(out)["shape_format"] == "HW"
