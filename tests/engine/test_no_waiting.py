"""Losses and auxiliary operations never wait for the device: they run where there are no values at all."""

from __future__ import annotations

import pytest
import torch

from clara_compat.engine.aux_classification import Accuracy, ClassProbabilities
from clara_compat.engine.aux_dice import DiceOutputs, MeanInsideClasses
from clara_compat.engine.aux_ops import NegLoss
from clara_compat.engine.losses.classification import ClaraClassificationLoss
from clara_compat.engine.losses.cross_entropy import ClaraCrossEntropyLoss
from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.losses.focal import ClaraFocalLoss
from clara_compat.engine.networks.activation import FinalActivation

VOXELS = [ClaraDiceLoss, ClaraCrossEntropyLoss, ClaraFocalLoss]


def volumes(channels, label_channels, activation, dtype=torch.float32):
    """Return predictions as a network makes them, and labels, without values."""
    logits = torch.empty((2, channels, 4, 5, 6), device="meta", requires_grad=True)
    return FinalActivation(activation)(logits), torch.empty((2, label_channels, 4, 5, 6), device="meta", dtype=dtype)


def test_a_fetched_value_is_an_error_here():
    with pytest.raises(RuntimeError, match="meta"):
        torch.empty(1, device="meta").item()


@pytest.mark.parametrize("loss", VOXELS)
@pytest.mark.parametrize(
    ("channels", "label_channels", "activation", "options"),
    [
        (3, 1, "softmax", {}),
        (3, 1, "softmax", {"skip_background": True}),
        (1, 1, "sigmoid", {}),
        (3, 3, "sigmoid", {"is_onehot_targets": True}),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_losses_of_voxels(loss, channels, label_channels, activation, options, dtype):
    predictions, labels = volumes(channels, label_channels, activation, dtype)
    value = loss(**options)(predictions, labels)
    value.backward()
    assert value.shape == ()
    assert value.device.type == "meta"


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "linear"])
@pytest.mark.parametrize("classes", [[1, 1, 1], [3], [1, 3, 2]])
@pytest.mark.parametrize("weighted", [False, True])
def test_losses_of_a_classification(activation, classes, weighted):
    logits = torch.empty((4, sum(classes)), device="meta", requires_grad=True)
    weights = [2.0] * sum(max(n, 2) for n in classes) if weighted else None
    loss = ClaraClassificationLoss(classes, weights, activation=activation)
    value = loss(FinalActivation(activation)(logits), torch.empty((4, len(classes)), device="meta"))
    value.backward()
    assert value.shape == ()
    assert value.device.type == "meta"


@pytest.mark.parametrize(
    "operation",
    [
        DiceOutputs(["d"], skip_background=True),
        DiceOutputs(["d", "a", "b", "c"], is_independent_predictions=True, masked=False),
        MeanInsideClasses(["m"]),
        Accuracy(["a"]),
        NegLoss("n", ClaraDiceLoss()),
    ],
)
def test_operations_on_voxels(operation):
    predictions, labels = volumes(3, 1, "softmax")
    values = operation({"pred": predictions, "label": labels})
    assert all(value.device.type == "meta" for value in values.values())


@pytest.mark.parametrize(
    "operation", [Accuracy(["a"]), ClassProbabilities("p", "l"), ClassProbabilities("p", "l", False, False, False)]
)
def test_operations_of_a_classification(operation):
    output = {"pred": torch.empty((4, 3), device="meta"), "label": torch.empty((4, 1), device="meta")}
    values = operation(output)
    assert all(value.device.type == "meta" for value in values.values())
