"""WeightedSumLoss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clara_compat.engine.losses.cross_entropy import ClaraCrossEntropyLoss
from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.losses.focal import ClaraFocalLoss
from clara_compat.engine.losses.weighted_sum import WeightedSumLoss
from clara_compat.engine.networks.activation import FinalActivation


def reference(p: np.ndarray, labels: np.ndarray, focal: bool) -> tuple[float, float]:
    """The voxel-wise part and the Dice part, from their formulas."""
    onehot = np.stack([labels[:, 0] == c for c in range(p.shape[1])], axis=1)
    axes = tuple(range(2, p.ndim))
    overlap, size = (p * onehot).sum(axes), p.sum(axes) + onehot.sum(axes)
    dice = 1 - np.mean(2 * overlap / (size + 1e-5))
    mine = (p * onehot).sum(1)
    terms = -0.25 * (1 - mine) ** 2 * np.log(mine) if focal else -np.log(mine + 1e-8)
    return terms.mean(), dice


@pytest.mark.parametrize("size", [(4, 3), (4, 3, 2)])
@pytest.mark.parametrize("weights", [None, [0.3, 2.0], [1.0, 0.0]])
@pytest.mark.parametrize("focal", [False, True])
def test_value_and_gradient(focal, weights, size):
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(2, 3, *size)), random.integers(0, 3, (2, 1, *size))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    first = ClaraFocalLoss() if focal else ClaraCrossEntropyLoss()
    loss, layer = WeightedSumLoss([first, ClaraDiceLoss()], weights), FinalActivation("softmax")
    wide, target = torch.tensor(logits, requires_grad=True), torch.tensor(labels)
    expected = np.dot(weights or [1.0, 1.0], reference(p, labels, focal))
    assert loss(layer(wide), target).item() == pytest.approx(expected, rel=1e-12)
    assert torch.autograd.gradcheck(lambda x: loss(layer(x), target), (wide,))


@pytest.mark.parametrize(("losses", "weights"), [([], None), ([ClaraDiceLoss()], [1.0, 2.0])])
def test_refusals(losses, weights):
    with pytest.raises(ValueError, match=r"got \d losses and \d weights, expected one weight per loss"):
        WeightedSumLoss(losses, weights)


@pytest.mark.parametrize("weights", [[0], [0.0, 0.0]])
def test_without_any_weight_there_is_no_loss(weights):
    with pytest.raises(ValueError, match="all weights are 0, so there is no loss: give one of the losses a weight"):
        WeightedSumLoss([ClaraDiceLoss() for _ in weights], weights)


class Unused(torch.nn.Module):
    def forward(self, predictions, targets):
        raise AssertionError("a loss of the weight 0 was computed")


def test_a_loss_of_no_weight_is_not_computed():
    """It may be one that cannot be computed: infinite or nan times 0 would be nan."""
    predictions, targets = torch.rand(2, 3, 4, 4), torch.randint(0, 3, (2, 1, 4, 4))
    found = WeightedSumLoss([Unused(), ClaraDiceLoss()], [0.0, 2.0])(predictions, targets)
    assert found.item() == pytest.approx(2 * ClaraDiceLoss()(predictions, targets).item())
