"""ClaraDiceLoss against the published loss written in numpy, value and gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine.losses.dice import ClaraDiceLoss

OPTIONS = [
    {},
    {"skip_background": True},
    {"squared_pred": True},
    {"jaccard": True},
    {"squared_pred": True, "jaccard": True, "skip_background": True},
    {"smooth": 0.3},
    {"top_smooth": 0.7, "smooth": 1e-3},
    {"is_onehot_targets": True},
    {"is_onehot_targets": True, "squared_pred": True, "skip_background": True},
    {"is_onehot_targets": True, "jaccard": True, "top_smooth": 0.1},
]


def tf_one_hot(labels: np.ndarray, channels: int) -> np.ndarray:
    """``tf.one_hot(tf.cast(tf.squeeze(labels, 1), tf.int32), channels, axis=1)``."""
    indices = np.trunc(labels[:, 0]).astype(np.int64)
    onehot = np.zeros((labels.shape[0], channels, *labels.shape[2:]))
    for position, index in np.ndenumerate(indices):
        if 0 <= index < channels:
            onehot[(position[0], index, *position[1:])] = 1.0
    return onehot


def reference(
    p: np.ndarray,
    t: np.ndarray,
    skip_background: bool = False,
    squared_pred: bool = False,
    jaccard: bool = False,
    smooth: float = 1e-5,
    top_smooth: float = 0.0,
    is_onehot_targets: bool = False,
) -> tuple[float, np.ndarray]:
    """Value and gradient, per sample and channel, from the formula; ``t`` is already one-hot."""
    first = 1 if skip_background else 0
    gradient, values, pairs = np.zeros_like(p), [], p.shape[0] * (p.shape[1] - first)
    for n in range(p.shape[0]):
        for c in range(first, p.shape[1]):
            both = (p[n, c] * t[n, c]).sum()
            power = 2 if squared_pred else 1
            below = (t[n, c] ** power).sum() + (p[n, c] ** power).sum() - (both if jaccard else 0.0) + smooth
            above = 2.0 * both + top_smooth
            values.append(above / below)
            d_below = (2.0 * p[n, c] if squared_pred else np.ones_like(p[n, c])) - (t[n, c] if jaccard else 0.0)
            gradient[n, c] = -(2.0 * t[n, c] * below - above * d_below) / below**2 / pairs
    return 1.0 - np.mean(values), gradient


def case(dims: int, channels: int, onehot: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions, targets as the loss gets them, targets one-hot; with labels that have no channel."""
    random = np.random.default_rng(seed)
    size = (7, 6, 5)[:dims]
    p = random.dirichlet(np.ones(channels), (2, *size))
    p = np.moveaxis(p, -1, 1)
    if onehot:
        soft = random.random((2, channels, *size))
        return p, soft, soft
    labels = random.choice([-3.0, -0.6, 0.0, 1.0, 1.9, 2.0, float(channels), 99.0], (2, 1, *size))
    return p, labels, tf_one_hot(labels, channels)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_value_and_gradient(options, dims):
    p, targets, onehot = case(dims, 3, options.get("is_onehot_targets", False))
    value, gradient = reference(p, onehot, **options)
    loss = ClaraDiceLoss(**options)
    wide = torch.tensor(p, requires_grad=True)
    found = loss(wide, torch.tensor(targets))
    found.backward()
    np.testing.assert_allclose(found.item(), value, rtol=1e-12)
    np.testing.assert_allclose(wide.grad.numpy(), gradient, atol=1e-12)
    assert torch.autograd.gradcheck(lambda x: loss(x, torch.tensor(targets)), (wide,))

    narrow = torch.tensor(p, dtype=torch.float32, requires_grad=True)
    found = loss(narrow, torch.tensor(targets, dtype=torch.float32))
    found.backward()
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.item(), value, rtol=1e-6)
    np.testing.assert_allclose(narrow.grad.numpy(), gradient, atol=1e-6)


def test_large_patch_in_float32():
    random = np.random.default_rng(1)
    p = np.moveaxis(random.dirichlet([0.3, 0.3], (2, 48, 48, 48)), -1, 1)
    labels = (random.random((2, 1, 48, 48, 48)) > 0.9).astype(np.float64)
    value, gradient = reference(p, np.concatenate([1 - labels, labels], axis=1))
    narrow = torch.tensor(p, dtype=torch.float32, requires_grad=True)
    found = ClaraDiceLoss()(narrow, torch.tensor(labels, dtype=torch.float32))
    found.backward()
    np.testing.assert_allclose(found.item(), value, rtol=1e-6)
    np.testing.assert_allclose(narrow.grad.numpy(), gradient, rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.bool, torch.float16])
def test_any_type_of_label(dtype):
    p, _, _ = case(2, 2, onehot=False)
    labels = torch.tensor(np.random.default_rng(2).integers(0, 2, (2, 1, 7, 6)))
    expected, _ = reference(p, tf_one_hot(labels.numpy(), 2))
    np.testing.assert_allclose(ClaraDiceLoss()(torch.tensor(p), labels.to(dtype)).item(), expected, rtol=1e-12)


@pytest.mark.parametrize(("jaccard", "expected"), [(False, 0.0), (True, -1.0)])
def test_perfect_match(jaccard, expected):
    """The clone's jaccard keeps the factor 2: a perfect match gives a loss of -1."""
    labels = (torch.rand(2, 1, 8, 8, 8) > 0.5).double()
    loss = ClaraDiceLoss(jaccard=jaccard, smooth=0.0)(torch.cat([1 - labels, labels], dim=1), labels)
    assert loss.item() == pytest.approx(expected, abs=1e-12)


def test_absent_class_costs_one():
    labels = torch.zeros(1, 1, 4, 4)
    predictions = torch.cat([torch.ones(1, 1, 4, 4), torch.zeros(1, 2, 4, 4)], dim=1)
    assert ClaraDiceLoss()(predictions, labels).item() == pytest.approx(2 / 3, abs=1e-6)
    assert ClaraDiceLoss(top_smooth=1e-5)(predictions, labels).item() == pytest.approx(0.0, abs=1e-6)


def test_single_channel_is_the_foreground():
    random = np.random.default_rng(3)
    p, labels = random.random((2, 1, 5, 5)), random.choice([-1.0, 0.0, 0.9, 1.0, 2.0, 7.0], (2, 1, 5, 5))
    value, gradient = reference(p, (labels >= 1).astype(float))
    wide = torch.tensor(p, requires_grad=True)
    found = ClaraDiceLoss()(wide, torch.tensor(labels))
    found.backward()
    assert found.item() == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(wide.grad.numpy(), gradient, atol=1e-12)


def test_low_precision_and_metadata_give_a_plain_float32():
    p, labels, _ = case(2, 3, onehot=False)
    found = ClaraDiceLoss()(MetaTensor(torch.tensor(p).bfloat16()), MetaTensor(torch.tensor(labels)))
    assert type(found) is torch.Tensor
    assert found.dtype == torch.float32


@pytest.mark.parametrize(
    ("options", "predicted", "target", "message"),
    [
        ({"skip_background": True}, (1, 1, 4, 4), (1, 1, 4, 4), "the prediction has a single channel"),
        (
            {"skip_background": True, "is_onehot_targets": True},
            (1, 2, 4, 4),
            (1, 1, 4, 4),
            "the one-hot target has a single channel",
        ),
        ({"is_onehot_targets": True}, (1, 3, 4, 4), (1, 2, 4, 4), "same number of channels, but they have 3 and 2"),
        ({}, (1, 2, 4, 4), (1, 2, 4, 4), "target has 2 channels; .* set is_onehot_targets"),
        ({}, (1, 2, 4, 4), (1, 1, 4, 5), r"differ in size: \[1, 2, 4, 4\] and \[1, 1, 4, 5\]"),
    ],
)
def test_refusals(options, predicted, target, message):
    with pytest.raises(ValueError, match=message):
        ClaraDiceLoss(**options)(torch.rand(predicted), torch.zeros(target))


@pytest.mark.parametrize("onehot", [False, True])
def test_a_classification_has_a_dice_per_sample_and_output(onehot):
    """What TensorFlow's reduce_sum over no axes gives."""
    random = np.random.default_rng(3)
    p, index = random.random((4, 3)), random.integers(0, 3, (4, 1))
    t = np.eye(3)[index[:, 0]]
    expected = 1 - np.mean(2 * p * t / (t + p + 1e-5))
    found = ClaraDiceLoss(is_onehot_targets=onehot)(torch.tensor(p), torch.tensor(t if onehot else index))
    assert found.item() == pytest.approx(expected, rel=1e-12)
