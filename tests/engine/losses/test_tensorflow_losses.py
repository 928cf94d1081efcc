"""The losses against numbers of real TensorFlow (``tests/references/make_tensorflow_losses.py``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from clara_compat.engine.losses.classification import ClaraClassificationLoss
from clara_compat.engine.losses.cross_entropy import ClaraCrossEntropyLoss
from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.losses.focal import ClaraFocalLoss
from clara_compat.engine.networks.activation import FinalActivation

REFERENCES = np.load(Path(__file__).parents[2] / "references/tensorflow_losses.npz")

DICE = {
    "plain": {},
    "skip_background": {"skip_background": True},
    "squared_pred": {"squared_pred": True},
    "jaccard": {"jaccard": True},
    "smooths": {"smooth": 0.3, "top_smooth": 0.7},
    "all": {"skip_background": True, "squared_pred": True, "jaccard": True, "top_smooth": 0.1},
    "onehot": {"is_onehot_targets": True, "squared_pred": True, "skip_background": True},
}

LOSSES = {
    **{f"dice_{name}_{d}d": (ClaraDiceLoss(**options), "linear") for name, options in DICE.items() for d in (2, 3)},
    **{
        f"{name}_{d}d": (loss, activation)
        for name, loss, activation in (
            ("smoothed_cross_entropy", ClaraCrossEntropyLoss(), "softmax"),
            ("softmax_cross_entropy", ClaraCrossEntropyLoss(smooth=0.0), "softmax"),
            ("softmax_cross_entropy_extreme", ClaraCrossEntropyLoss(smooth=0.0), "softmax"),
            ("sigmoid_cross_entropy", ClaraCrossEntropyLoss(smooth=0.0), "sigmoid"),
            ("sigmoid_cross_entropy_extreme", ClaraCrossEntropyLoss(smooth=0.0), "sigmoid"),
            ("focal", ClaraFocalLoss(), "softmax"),
        )
        for d in (2, 3)
    },
    "binary_labels": (ClaraClassificationLoss([1] * 6), "linear"),
    "multiclass_labels": (ClaraClassificationLoss([1, 3, 2]), "linear"),
    "weighted_labels": (ClaraClassificationLoss([4], [0.5, 2.0, 0.0, 1.5]), "linear"),
}


def test_no_reference_is_left_out():
    assert str(REFERENCES["tensorflow"]) == "2.21.0"
    assert {name.partition("/")[0] for name in REFERENCES.files} == {"tensorflow", *LOSSES}


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient(name):
    loss, activation = LOSSES[name]
    values, labels = (torch.from_numpy(REFERENCES[f"{name}/{key}"]) for key in ("input", "label"))
    values.requires_grad_()
    found = loss(FinalActivation(activation)(values), labels)
    found.backward()
    np.testing.assert_allclose(found.item(), REFERENCES[f"{name}/value"], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(values.grad.numpy(), REFERENCES[f"{name}/gradient"], rtol=1e-6, atol=1e-6)
    assert values.grad.abs().max() > 1e-3


@pytest.mark.parametrize(
    ("name", "loss", "activation"),
    [
        ("binary_labels", ClaraClassificationLoss([1] * 6, activation="sigmoid"), "sigmoid"),
        ("weighted_labels", ClaraClassificationLoss([4], [0.5, 2.0, 0.0, 1.5], activation="softmax"), "softmax"),
    ],
)
def test_class_labels_of_an_activated_network(name, loss, activation):
    values, labels = (torch.from_numpy(REFERENCES[f"{name}/{key}"]) for key in ("input", "label"))
    values.requires_grad_()
    found = loss(FinalActivation(activation)(values), labels)
    found.backward()
    np.testing.assert_allclose(found.item(), REFERENCES[f"{name}/value"], rtol=1e-6)
    np.testing.assert_allclose(values.grad.numpy(), REFERENCES[f"{name}/gradient"], rtol=1e-6, atol=1e-6)
