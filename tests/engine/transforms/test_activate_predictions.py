from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import special

from clara_compat.engine.transforms.activate_predictions import ActivatePredictionsd
from clara_compat.errors import ClaraError


def reference(values, sizes):
    parts = np.split(values.astype(np.float64), np.cumsum(sizes)[:-1])
    return np.concatenate([special.expit(p) if len(p) == 1 else special.softmax(p, axis=0) for p in parts])


@pytest.mark.parametrize("shape", [(), (3, 2), (3, 4, 2)])
@pytest.mark.parametrize(
    ("given", "sizes"), [(None, (1,)), (None, (5,)), ((1, 1, 1), (1, 1, 1)), ((1, 3, 2), (1, 3, 2))]
)
def test_equals_scipy(shape, given, sizes):
    values = np.random.default_rng(0).normal(0, 20, (sum(sizes), *shape))
    for dtype, tolerance in ((np.float32, 1e-6), (np.float64, 1e-12)):
        item = {"model": torch.from_numpy(values.astype(dtype))}
        out = ActivatePredictionsd("model", given)(item)["model"]
        assert out.dtype == item["model"].dtype
        np.testing.assert_allclose(out.numpy(), reference(values, sizes), atol=tolerance)
        np.testing.assert_array_equal(item["model"].numpy(), values.astype(dtype))


def test_switched_off_and_whole_numbers():
    item = {"model": MetaTensor(torch.tensor([0, 1, 1]), affine=torch.eye(4) * 2)}
    out = ActivatePredictionsd("model", [1, 2], sigmoid=False)(item)["model"]
    assert out.tolist() == [0, 0.5, 0.5]
    assert torch.equal(out.affine, item["model"].affine)
    assert ActivatePredictionsd("model", [1, 2], softmax=False)(item)["model"].tolist() == [0.5, 1, 1]


def test_half_precision_becomes_float32():
    out = ActivatePredictionsd("model")({"model": torch.tensor([1.0, 2], dtype=torch.float16)})["model"]
    assert out.dtype == torch.float32
    np.testing.assert_allclose(out.numpy(), special.softmax([1, 2]), atol=1e-6)


def test_messages():
    with pytest.raises(ClaraError, match=r"classes per label are \[2, 0\], expected numbers of at least 1"):
        ActivatePredictionsd("model", [2, 0])
    with pytest.raises(ClaraError, match=r"'model' has 4 outputs, but the labels have \[1, 2\] classes, which makes 3"):
        ActivatePredictionsd("model", [1, 2])({"model": torch.zeros(4)})
    with pytest.raises(ClaraError, match="'model' holds a single number, expected predictions with an axis"):
        ActivatePredictionsd("model")({"model": torch.tensor(1.0)})
