"""Voxel-wise losses of several sigmoid channels against a numpy reference in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clara_compat.engine.losses.cross_entropy import ClaraCrossEntropyLoss
from clara_compat.engine.losses.focal import ClaraFocalLoss
from clara_compat.engine.losses.voxelwise import VoxelwiseLoss
from clara_compat.engine.networks.activation import FinalActivation

LOSSES = [
    (ClaraCrossEntropyLoss(smooth=0.0, is_independent_predictions=True), lambda p: -np.log(p)),
    (ClaraCrossEntropyLoss(smooth=1e-3, is_independent_predictions=True), lambda p: -np.log(p + 1e-3)),
    (ClaraFocalLoss(is_independent_predictions=True), lambda p: -0.25 * (1 - p) ** 2 * np.log(p)),
]


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("onehot", [False, True])
@pytest.mark.parametrize(("loss", "term"), LOSSES, ids=["ce", "smooth", "focal"])
def test_value_and_gradient(loss: VoxelwiseLoss, term, onehot: bool, skip: bool) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (2, 3, 4, 5, 6))
    if onehot:
        targets = shares = random.choice([0.0, 0.3, 1.0], logits.shape)
    else:
        targets = random.choice([-1.0, 0.0, 1.0, 2.0, 7.0], (2, 1, 4, 5, 6))
        shares = np.concatenate([targets == c for c in range(3)], axis=1).astype(float)
    p = 1 / (1 + np.exp(-logits))
    expected = (shares * term(p) + (1 - shares) * term(1 - p))[:, int(skip) :].mean()

    loss.is_onehot_targets, loss.skip_background = onehot, skip
    wide, label, sigmoid = torch.tensor(logits, requires_grad=True), torch.tensor(targets), FinalActivation("sigmoid")
    found = loss(sigmoid(wide), label)
    found.backward()
    assert found.item() == pytest.approx(expected, rel=1e-12)
    with torch.no_grad():  # nothing is remembered, as in a validation
        assert loss(sigmoid(wide), label).item() == pytest.approx(expected, rel=1e-10)
    step = torch.zeros_like(wide)
    step[1, 2, 3, 2, 1] = 1e-6
    with torch.no_grad():
        slope = (loss(sigmoid(wide + step), label) - loss(sigmoid(wide - step), label)) / 2e-6
    assert wide.grad[1, 2, 3, 2, 1].item() == pytest.approx(slope.item(), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("onehot", [False, True])
@pytest.mark.parametrize("make", [ClaraCrossEntropyLoss, ClaraFocalLoss])
def test_saying_yes_everywhere_is_no_optimum(make: type[VoxelwiseLoss], onehot: bool) -> None:
    index = torch.arange(3).repeat(2, 1, 4, 1)
    right = torch.cat([index == c for c in range(3)], dim=1).float()
    loss = make(is_onehot_targets=onehot, is_independent_predictions=True)
    target = right if onehot else index
    assert loss(right.clamp(1e-6, 1 - 1e-6), target) < 1e-5
    assert loss(torch.full_like(right, 1 - 1e-6), target) > 1.0


def test_binary_cross_entropy_of_torch() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 3, 5, 5), torch.randint(0, 2, (2, 3, 5, 5)).float()
    loss = ClaraCrossEntropyLoss(smooth=0.0, is_onehot_targets=True, is_independent_predictions=True)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    torch.testing.assert_close(loss(logits.sigmoid(), target), expected)


def test_logits_that_have_run_away_keep_their_gradient() -> None:
    logits = torch.tensor([60.0, -60.0]).reshape(1, 2, 1, 1).repeat(1, 1, 2, 1).requires_grad_()
    target = torch.tensor([0.0, 1.0]).reshape(1, 2, 1, 1).repeat(1, 1, 2, 1)
    loss = ClaraCrossEntropyLoss(smooth=0.0, is_onehot_targets=True, is_independent_predictions=True)
    found = loss(FinalActivation("sigmoid")(logits), target)
    found.backward()
    assert found.item() == pytest.approx(60.0)
    torch.testing.assert_close(logits.grad.ravel(), torch.tensor([0.25, 0.25, -0.25, -0.25]))
