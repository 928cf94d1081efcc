"""ClaraCrossEntropyLoss against a numpy reference in float64, value and gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import MetaTensor

from clara_compat.engine.losses.cross_entropy import ClaraCrossEntropyLoss
from clara_compat.engine.networks.activation import FinalActivation

OPTIONS = [
    {},
    {"skip_background": True},
    {"smooth": 0.0},
    {"smooth": 0.3},
    {"is_onehot_targets": True},
    {"is_onehot_targets": True, "skip_background": True, "smooth": 1e-3},
]


def reference(
    p: np.ndarray,
    t: np.ndarray,
    skip_background: bool = False,
    smooth: float = 1e-8,
    is_onehot_targets: bool = False,
) -> tuple[float, np.ndarray]:
    """Value and gradient by the probabilities; ``t`` is one weight per channel."""
    first = 1 if skip_background else 0
    gradient, total, voxels = np.zeros_like(p), 0.0, p.size // p.shape[1]
    for c in range(first, p.shape[1]):
        total -= (t[:, c] * np.log(p[:, c] + smooth)).sum()
        gradient[:, c] = -t[:, c] / (p[:, c] + smooth) / voxels
    return total / voxels, gradient


def case(dims: int, onehot: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions, targets as the loss gets them, targets one-hot; with labels that have no channel."""
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
    loss = ClaraCrossEntropyLoss(**options)
    wide = torch.tensor(p, requires_grad=True)
    found = loss(wide, torch.tensor(targets))
    found.backward()
    np.testing.assert_allclose(found.item(), value, rtol=1e-12)
    np.testing.assert_allclose(wide.grad.numpy(), gradient, rtol=1e-10, atol=1e-12)

    narrow = torch.tensor(p, dtype=torch.float32, requires_grad=True)
    found = loss(narrow, torch.tensor(targets, dtype=torch.float32))
    found.backward()
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.item(), value, rtol=1e-6)
    np.testing.assert_allclose(narrow.grad.numpy(), gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_gradient_by_the_logits(options, name):
    _, targets, onehot = case(3, options.get("is_onehot_targets", False))
    loss, layer = ClaraCrossEntropyLoss(**options), FinalActivation(name)
    torch.manual_seed(0)
    logits = torch.randn(2, 3, 6, 5, 4, dtype=torch.float64, requires_grad=True)
    value, _ = reference(layer(logits).detach().numpy(), onehot, **options)
    assert loss(layer(logits), torch.tensor(targets)).item() == pytest.approx(value, rel=1e-12)
    small = logits.detach()[:, :, :2, :2, :2].clone().requires_grad_()
    label = torch.tensor(targets)[:, :, :2, :2, :2]
    assert torch.autograd.gradcheck(lambda x: loss(layer(x), label), (small,))


def test_is_that_of_torch_without_smooth():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 4, 6, 6, 6, requires_grad=True), torch.randint(0, 4, (2, 1, 6, 6, 6))
    expected = torch.nn.functional.cross_entropy(logits, labels[:, 0])
    found = ClaraCrossEntropyLoss(smooth=0.0)(FinalActivation("softmax")(logits), labels)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(value, logits)[0] for value in (found, expected)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("onehot", [False, True])
def test_no_precision_is_lost_to_the_activation(onehot):
    """Wrong by logits of +-200, p is 0 in float32: without smooth the loss is 400 and its gradient full."""
    logits = torch.tensor([200.0, -200.0]).view(1, 2, 1, 1).requires_grad_()
    targets = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1) if onehot else torch.ones(1, 1, 1, 1)
    p = FinalActivation("softmax")(logits)
    loss = ClaraCrossEntropyLoss(smooth=0.0, is_onehot_targets=onehot)(p, targets)
    loss.backward()
    assert loss.item() == 400.0
    assert logits.grad.flatten().tolist() == [1.0, -1.0]
    bounded = ClaraCrossEntropyLoss(is_onehot_targets=onehot)(p.detach().requires_grad_(), targets)
    assert bounded.item() == pytest.approx(-np.log(1e-8), rel=1e-6)


@given(st.floats(-200, 200), st.floats(0, 1), st.sampled_from([0, 1]))
def test_finite_right_and_of_the_right_sign_at_any_logit(x, smooth, label):
    logits = torch.tensor([[[[x]]]], requires_grad=True)
    loss = ClaraCrossEntropyLoss(smooth=smooth)(FinalActivation("sigmoid")(logits), torch.full((1, 1, 1, 1), label))
    loss.backward()
    single = logits.item()
    log_p = -np.logaddexp(0.0, -single if label else single)
    expected = -np.logaddexp(log_p, np.log(smooth) if smooth else -np.inf)
    assert loss.item() == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert torch.isfinite(logits.grad).all()
    assert logits.grad.item() * (1 if label else -1) <= 0


@pytest.mark.parametrize("onehot", [False, True])
def test_single_channel_counts_both_sides(onehot):
    random = np.random.default_rng(5)
    p, labels = random.random((2, 1, 5, 5)), random.choice([0.0, 1.0] if onehot else [0.0, 1.0, 4.0], (2, 1, 5, 5))
    foreground = np.minimum(labels, 1.0)
    wide = torch.tensor(p, requires_grad=True)
    found = ClaraCrossEntropyLoss(smooth=0.0, is_onehot_targets=onehot)(wide, torch.tensor(labels))
    found.backward()
    terms = foreground * np.log(p) + (1 - foreground) * np.log(1 - p)
    assert found.item() == pytest.approx(-terms.mean(), rel=1e-12)
    slope = ((1 - foreground) / (1 - p) - foreground / p) / p.size
    np.testing.assert_allclose(wide.grad.numpy(), slope, rtol=1e-10)


@pytest.mark.parametrize("smooth", [0.0, 1e-8])
def test_certain_predictions_stay_finite(smooth):
    p = torch.tensor([0.0, 1.0, 1e-45, 1.0 + 2**-23]).repeat(2, 1).view(1, 2, 2, 2).requires_grad_()
    loss = ClaraCrossEntropyLoss(smooth=smooth)(p, torch.tensor([[[[0, 1], [1, 0]]]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(p.grad).all()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.bool])
def test_any_type_of_label(dtype):
    p, _, _ = case(2, onehot=False)
    labels = np.random.default_rng(2).integers(0, 2, (2, 1, 6, 5))
    expected, _ = reference(p, np.concatenate([labels == c for c in range(3)], axis=1).astype(float))
    assert ClaraCrossEntropyLoss()(torch.tensor(p), torch.tensor(labels).to(dtype)).item() == pytest.approx(expected)


def test_low_precision_and_metadata_give_a_plain_float32():
    p, labels, _ = case(2, onehot=False)
    found = ClaraCrossEntropyLoss()(MetaTensor(torch.tensor(p).bfloat16()), MetaTensor(torch.tensor(labels)))
    assert type(found) is torch.Tensor
    assert found.dtype == torch.float32


def test_refusals():
    with pytest.raises(ValueError, match="smooth must be finite and not negative but is nan"):
        ClaraCrossEntropyLoss(smooth=float("nan"))
    with pytest.raises(ValueError, match="smooth must be finite and not negative but is -1"):
        ClaraCrossEntropyLoss(smooth=-1)
    with pytest.raises(ValueError, match="the prediction has a single channel"):
        ClaraCrossEntropyLoss(skip_background=True)(torch.rand(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
