"""ClaraClassificationLoss against a numpy reference in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import MetaTensor
from torch.utils._python_dispatch import TorchDispatchMode

from clara_compat.engine.losses.classification import ClaraClassificationLoss
from clara_compat.engine.networks.activation import FinalActivation

FORMATS = [[1], [2], [3], [1, 1, 1], [1, 3], [3, 1, 2, 1, 3]]


def weights_of(formats: list[int]) -> list[float]:
    """A weight for every class, one of them 0."""
    count = sum(max(n, 2) for n in formats)
    return [0.0, *np.linspace(0.5, 2.0, count - 1)]


def reference(scores: np.ndarray, labels: np.ndarray, formats: list[int], weights: list[float] | None, kind: str):
    """The mean over labels, item by item from the definition."""
    output, place, losses = 0, 0, []
    if kind == "softmax":
        scores = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    elif kind == "sigmoid":
        scores = 1 / (1 + np.exp(-scores))
    for column, classes in enumerate(formats):
        mine, count = scores[:, output : output + classes], max(classes, 2)
        factors = [1.0] * count if weights is None else weights[place : place + count]
        total, items = 0.0, 0
        for row, label in zip(mine, labels[:, column], strict=True):
            if classes == 1:
                p = 1 / (1 + np.exp(-row[0])) if kind == "linear" else row[0]
                p, share = [1 - p, p], [1 - label, label] if 0 <= label <= 1 else [0, 0]
            else:
                p = np.exp(row) / np.exp(row).sum() if kind == "linear" else row / row.sum()
                share = [float(np.trunc(label) == c) for c in range(classes)]
            factor = sum(a * b for a, b in zip(share, factors, strict=True))
            total -= sum(s * w * np.log(q) for s, w, q in zip(share, factors, p, strict=True))
            items += factor != 0 or sum(share) == 0
        losses.append(total / max(items, 1))
        output, place = output + classes, place + count
    return np.mean(losses)


def case(formats: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels, among them such as are no class."""
    random = np.random.default_rng(len(formats))
    columns = [random.choice([-1.0, *range(max(n, 2)), max(n, 2)], (7, 1)) for n in formats]
    labels = np.concatenate(columns, axis=1)
    labels[:2] = 1.0
    return random.normal(0, 2, (7, sum(formats))), labels


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("formats", "kind"),
    [
        (formats, kind)
        for formats in FORMATS
        for kind in ("linear", "sigmoid", "softmax")
        if (formats, kind) != ([1], "softmax")  # a softmax over one output is 1
    ],
    ids=str,
)
def test_value_and_gradient(formats, weighted, kind):
    scores, labels = case(formats)
    weights = weights_of(formats) if weighted else None
    loss, layer = ClaraClassificationLoss(formats, weights, kind), FinalActivation(kind)
    wide, target = torch.tensor(scores, requires_grad=True), torch.tensor(labels)
    expected = reference(scores, labels, formats, weights, kind)
    assert loss(layer(wide), target).item() == pytest.approx(expected, rel=1e-10)
    assert torch.autograd.gradcheck(lambda x: loss(layer(x), target), (wide,))
    without = loss(layer(wide).detach(), target)  # nothing remembered, as in a validation
    assert without.item() == pytest.approx(expected, rel=1e-10)
    narrow = torch.tensor(scores, dtype=torch.float32, requires_grad=True)
    found = loss(layer(narrow), target.float())
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("formats", FORMATS, ids=str)
def test_equal_weights_change_nothing(formats):
    scores, labels = (torch.tensor(one) for one in case(formats))
    plain = ClaraClassificationLoss(formats)(scores, labels)
    ones = ClaraClassificationLoss(formats, [1.0] * sum(max(n, 2) for n in formats))(scores, labels)
    assert torch.equal(plain, ones)


@pytest.mark.parametrize(
    ("kind", "formats", "label"), [("sigmoid", [1], 0.0), ("softmax", [2], 1.0), ("linear", [2], 1.0)]
)
def test_no_precision_is_lost_to_the_activation(kind, formats, label):
    logits = torch.tensor([[200.0, -200.0][: sum(formats)]], requires_grad=True)
    loss = ClaraClassificationLoss(formats, activation=kind)(FinalActivation(kind)(logits), torch.tensor([[label]]))
    loss.backward()
    assert loss.item() == 200.0 * sum(formats)
    assert logits.grad[0].tolist() == [1.0, -1.0][: sum(formats)]


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=3), st.integers(0, 2), st.floats(-30, 30))
def test_a_constant_on_all_logits_of_a_label_changes_nothing(scores, label, shift):
    logits, target = torch.tensor([scores], dtype=torch.float64), torch.tensor([[label]])
    loss = ClaraClassificationLoss([3])
    assert loss(logits, target).item() == pytest.approx(loss(logits + shift, target).item(), abs=1e-9)
    assert loss(logits, target).item() >= 0


def test_a_binary_label_may_lie_in_between():
    loss = ClaraClassificationLoss([1])(torch.zeros(1, 1), torch.tensor([[0.3]]))
    assert loss.item() == pytest.approx(np.log(2))


def test_all_items_without_weight():
    assert ClaraClassificationLoss([2], [0.0, 1.0])(torch.randn(3, 2), torch.zeros(3, 1)).item() == 0.0


def test_low_precision_and_metadata_give_a_plain_float32():
    found = ClaraClassificationLoss([2])(MetaTensor(torch.randn(2, 2).bfloat16()), MetaTensor(torch.ones(2, 1)))
    assert type(found) is torch.Tensor
    assert found.dtype == torch.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([3], [1.0, 2.0]), r"class_weights is \[1.0, 2.0\], expected 3 numbers that are not negative"),
        (([1], [1.0, -2.0]), r"expected 2 numbers that are not negative: one per class .* a binary label having two"),
        (([0],), "a label format must hold at least one number and none below 1"),
        (([1], None, "tanh"), "activation is 'tanh' but must be one of softmax, sigmoid, linear"),
    ],
)
def test_refused_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClaraClassificationLoss(*arguments)


@pytest.mark.parametrize(
    ("predicted", "target"), [((2, 3), (2, 2)), ((2, 4), (2, 1)), ((2, 4, 1), (2, 2)), ((3, 4), (2, 2))]
)
def test_refused_shapes(predicted, target):
    with pytest.raises(
        ValueError, match=r"the label format \[1, 3\] takes predictions \(batch, 4\) and labels \(batch, 2\)"
    ):
        ClaraClassificationLoss([1, 3])(torch.rand(predicted), torch.zeros(target))


class Operations(TorchDispatchMode):
    """Notes the names of the operations that run."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", ["linear", "sigmoid", "softmax"])
@pytest.mark.parametrize("formats", [[1, 1], [3, 1, 2, 1, 3]], ids=str)
def test_a_step_sends_nothing_to_the_device_and_waits_for_nothing(formats, kind):
    """Numbers of Python become tensors by ``lift_fresh``; a tensor of the meta device has no value to wait for."""
    loss, layer = ClaraClassificationLoss(formats, weights_of(formats), kind), FinalActivation(kind)
    for device in ("meta", "cpu"):
        logits = torch.zeros(4, sum(formats), device=device, requires_grad=True)
        labels = torch.zeros(4, len(formats), device=device)
        loss(layer(logits), labels)
        with Operations() as operations:
            loss(layer(logits), labels).backward()
        assert "sum.dim_IntList" in operations.names
        assert not {name for name in operations.names if name.startswith(("lift_fresh", "index", "_local_scalar"))}
