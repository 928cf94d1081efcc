"""Auxiliary operations of classification, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from clara_compat.engine.aux_classification import Accuracy, ClassProbabilities
from clara_compat.errors import ClaraError

LOGITS = np.array([[0.2, 1.0, 3.0, -1.0], [-0.3, 2.0, 0.0, 5.0], [4.0, 0.5, 0.6, 0.4], [0.0, -1.0, -2.0, -3.0]])
LABELS = np.array([[1, 1], [1, 2], [0, 0], [1, 0]])  # a binary label, and one of three classes


def output(pred=LOGITS, label=LABELS):
    return {"pred": torch.tensor(pred, requires_grad=True), "label": torch.tensor(label).float()}


def test_accuracy_of_binary_labels_and_classes():
    binary = (expit(LOGITS[:, 0]) >= 0.5) == LABELS[:, 0]
    classes = LOGITS[:, 1:].argmax(1) == LABELS[:, 1]
    found = Accuracy(["all", "binary", "classes"], use_sigmoid=True, classes_per_label=[1, 3])(output())
    expected = [np.mean([binary, classes]), binary.mean(), classes.mean()]
    assert [value.item() for value in found.values()] == pytest.approx(expected)
    assert expected == [5 / 8, 2 / 4, 3 / 4]
    assert Accuracy(["all"], classes_per_label=[1, 3])(output())["all"].item() == (classes.sum() + 0) / 8


@pytest.mark.parametrize(
    ("pred", "label", "expected"),
    [
        ([[0.9, 0.2], [0.4, 0.5]], [[1, 0], [1, 1]], 3 / 4),  # two binary labels
        ([[0.9, 0.2], [0.4, 0.5]], [[0], [1]], 1.0),  # one label of two classes
        ([[0.9, 0.2], [0.4, 0.5]], [0, 0], 1 / 2),
        ([[0.9], [0.4]], [[1], [-1]], 1.0),  # what is not known is left out
        ([[0.9, 0.2], [0.4, 0.5]], [[2], [1]], 1.0),
        ([[0.9, 0.2], [0.4, 0.5]], [[0.5], [0]], 0.0),
    ],
)
def test_accuracy_by_shape(pred, label, expected):
    found = Accuracy(["a"])(output(np.array(pred), np.array(label)))["a"]
    assert found.item() == expected
    assert not found.requires_grad


def test_accuracy_without_a_known_label_is_no_number():
    assert Accuracy(["a"])(output(np.ones((2, 1)), np.full((2, 1), -1)))["a"].isnan()


def test_accuracy_of_voxels():
    generator = np.random.default_rng(0)
    pred, label = generator.random((2, 3, 6, 5, 4)), generator.integers(0, 3, (2, 1, 6, 5, 4))
    expected = (pred.argmax(1) == label[:, 0]).mean()
    assert Accuracy(["a"])(output(pred, label))["a"].item() == pytest.approx(expected)


def test_probabilities():
    found = ClassProbabilities("p", "l", classes_per_label=[1, 3])(output())
    expected = np.concatenate([expit(LOGITS[:, :1]), softmax(LOGITS[:, 1:], axis=1)], axis=1)
    np.testing.assert_allclose(found["p"], expected, rtol=1e-12)
    np.testing.assert_array_equal(found["l"], LABELS)
    assert not found["p"].requires_grad
    raw = ClassProbabilities("p", "l", sigmoid=False, softmax=False, classes_per_label=[1, 3])(output())
    np.testing.assert_array_equal(raw["p"], LOGITS)


def test_probabilities_of_binary_labels_alone():
    found = ClassProbabilities("p", "l", binary_only=True, classes_per_label=[1, 3])(output())
    np.testing.assert_allclose(found["p"], expit(LOGITS[:, :1]))
    np.testing.assert_array_equal(found["l"], LABELS[:, :1])


@pytest.mark.parametrize(
    ("operation", "pred", "label", "message"),
    [
        (Accuracy(["a", "b"]), (2, 3), (2, 3), "aux_ops 'a': 2 tags for 3 labels, expected one tag.*or 4 for"),
        (Accuracy(["a"]), (2, 5), (2, 2), "aux_ops 'a': 5 outputs of the network do not fit 2 labels"),
        (Accuracy(["a"]), (2, 3), (4, 3), r"prediction \[2, 3\] and label \[4, 3\] differ in size"),
        (
            ClassProbabilities("p", "l", binary_only=True),
            (2, 3),
            (2, 1),
            r"none of the labels is binary.*\[3\] classes",
        ),
    ],
)
def test_refusals(operation, pred, label, message):
    with pytest.raises(ClaraError, match=message):
        operation(output(np.zeros(pred), np.zeros(label)))
