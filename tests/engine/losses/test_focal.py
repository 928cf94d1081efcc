"""ClaraFocalLoss against a numpy reference in float64, value and gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clara_compat.engine.losses.focal import ClaraFocalLoss
from clara_compat.engine.networks.activation import FinalActivation

OPTIONS = [
    {},
    {"skip_background": True},
    {"gamma": 0.0, "alpha": 1.0},
    {"gamma": 0.5},
    {"gamma": 3.5, "alpha": 0.75},
    {"is_onehot_targets": True},
    {"is_onehot_targets": True, "skip_background": True, "gamma": 1.0},
]


def term(p: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """``-(1 - p)^gamma log(p)`` and its derivative."""
    value = -((1 - p) ** gamma) * np.log(p)
    slope = gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p
    return value, slope


def reference(
    p: np.ndarray,
    t: np.ndarray,
    skip_background: bool = False,
    gamma: float = 2.0,
    alpha: float = 0.25,
    is_onehot_targets: bool = False,
) -> tuple[float, np.ndarray]:
    """Value and gradient; ``t`` is one weight per channel."""
    if skip_background:
        t = t.copy()
        t[:, 0] = 0.0
    value, slope = term(p, gamma)
    voxels = p.shape[0] * np.prod(p.shape[2:])
    return alpha * (t * value).sum() / voxels, alpha * t * slope / voxels


def case(dims: int, onehot: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(dims)
    size = (6, 5, 4)[:dims]
    p = np.moveaxis(random.dirichlet(np.ones(3), (2, *size)), -1, 1)
    if onehot:
        soft = random.random(p.shape)
        return p, soft, soft
    labels = random.choice([-2.0, -0.4, 0.0, 1.0, 1.7, 2.0, 3.0, 50.0], (2, 1, *size))
    indices = np.trunc(labels)
    return p, labels, np.concatenate([indices == c for c in range(3)], axis=1).astype(float)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_value_and_gradient(options, dims):
    p, targets, onehot = case(dims, options.get("is_onehot_targets", False))
    value, gradient = reference(p, onehot, **options)
    loss = ClaraFocalLoss(**options)
    wide = torch.tensor(p, requires_grad=True)
    found = loss(wide, torch.tensor(targets))
    found.backward()
    np.testing.assert_allclose(found.item(), value, rtol=1e-12)
    np.testing.assert_allclose(wide.grad.numpy(), gradient, rtol=1e-10, atol=1e-12)

    narrow = torch.tensor(p, dtype=torch.float32, requires_grad=True)
    found = loss(narrow, torch.tensor(targets, dtype=torch.float32))
    found.backward()
    np.testing.assert_allclose(found.item(), value, rtol=1e-6)
    np.testing.assert_allclose(narrow.grad.numpy(), gradient, rtol=1e-5, atol=1e-6)


def test_equals_cross_entropy_without_gamma():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 4, 6, 6, 6).double(), torch.randint(0, 4, (2, 1, 6, 6, 6))
    found = ClaraFocalLoss(gamma=0, alpha=1)(torch.softmax(logits, 1), labels)
    torch.testing.assert_close(found, torch.nn.functional.cross_entropy(logits, labels[:, 0]))


@pytest.mark.parametrize("onehot", [False, True])
def test_single_channel_counts_both_sides(onehot):
    random = np.random.default_rng(5)
    p, labels = random.random((2, 1, 5, 5)), random.choice([0.0, 1.0] if onehot else [0.0, 1.0, 4.0], (2, 1, 5, 5))
    foreground = np.minimum(labels, 1.0)
    ahead, ahead_slope = term(p, 2.0)
    behind, behind_slope = term(1 - p, 2.0)
    wide = torch.tensor(p, requires_grad=True)
    found = ClaraFocalLoss(is_onehot_targets=onehot)(wide, torch.tensor(labels))
    found.backward()
    assert found.item() == pytest.approx(0.25 * np.mean(foreground * ahead + (1 - foreground) * behind), rel=1e-12)
    slope = 0.25 * (foreground * ahead_slope - (1 - foreground) * behind_slope) / p.size
    np.testing.assert_allclose(wide.grad.numpy(), slope, rtol=1e-10)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("onehot", [False, True])
def test_certain_predictions_stay_finite(gamma, onehot):
    p = torch.tensor([0.0, 1.0, 1e-45, 1.0 + 2**-23]).repeat(2, 1).view(1, 2, 2, 2).requires_grad_()
    targets = torch.ones(1, 2, 2, 2) if onehot else torch.tensor([[[[0, 1], [1, 0]]]])
    loss = ClaraFocalLoss(gamma=gamma, is_onehot_targets=onehot)(p, targets)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(p.grad).all()


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("onehot", [False, True])
@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
def test_no_precision_is_lost_to_the_activation(name, onehot, gamma):
    """Logits of +-200 give p = 0 in float32: the loss is alpha times 400 (200 of a sigmoid), its gradient alpha."""
    channels = 2 if name == "softmax" else 1
    logits = torch.tensor([200.0, -200.0][:channels]).view(1, channels, 1, 1).requires_grad_()
    if channels == 1:
        targets = torch.zeros(1, 1, 1, 1)
    else:
        targets = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1) if onehot else torch.ones(1, 1, 1, 1)
    loss = ClaraFocalLoss(gamma=gamma, is_onehot_targets=onehot)(FinalActivation(name)(logits), targets)
    loss.backward()
    assert loss.item() == pytest.approx(0.25 * 200 * channels)
    assert logits.grad.flatten().tolist() == pytest.approx([0.25, -0.25][:channels])


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradient_by_the_logits(options, name):
    _, targets, _ = case(2, options.get("is_onehot_targets", False))
    loss, layer = ClaraFocalLoss(**options), FinalActivation(name)
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 6, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: loss(layer(x), torch.tensor(targets)), (logits,))
    with_logits, without = (loss(p, torch.tensor(targets)) for p in (layer(logits), layer(logits).detach()))
    torch.testing.assert_close(with_logits, without)


def test_nan_is_not_hidden():
    assert ClaraFocalLoss()(torch.full((1, 2, 2, 2), float("nan")), torch.zeros(1, 1, 2, 2)).isnan()


def test_label_without_a_class_is_no_class_even_as_nan():
    labels = torch.tensor([[[[float("nan"), 9.0]]]])
    assert ClaraFocalLoss()(torch.full((1, 2, 1, 2), 0.5), labels).item() == 0.0


def test_labels_are_left_alone():
    labels = torch.tensor([[[[-4, 9], [0, 1]]]])
    ClaraFocalLoss()(torch.rand(1, 2, 2, 2), labels)
    assert labels.tolist() == [[[[-4, 9], [0, 1]]]]


def test_refusals():
    with pytest.raises(
        ValueError, match="gamma and alpha must be finite and gamma not negative, but they are 2.0 and inf"
    ):
        ClaraFocalLoss(alpha=float("inf"))
    with pytest.raises(ValueError, match="gamma and alpha must be finite and gamma not negative, but they are -1"):
        ClaraFocalLoss(gamma=-1)
    with pytest.raises(ValueError, match="the prediction has a single channel"):
        ClaraFocalLoss(skip_background=True)(torch.rand(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
