"""Native losses on logits equal the exact ones on probabilities wherever no difference is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser

from clara_compat.components.catalogue import components
from clara_compat.components.entry import BundleContext
from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.losses import native_loss, stand_in_loss
from clara_compat.translate.render import render

ACTIVATIONS = {"softmax": lambda x: torch.softmax(x, 1), "sigmoid": torch.sigmoid, "linear": lambda x: x}


def exact_entry(name: str, args: Mapping[str, Any], context: BundleContext) -> dict[str, Any]:
    entry = components()[name](**args).bundle_entry(context)
    assert not isinstance(entry, list)
    return dict(render(entry))


def made(config: Mapping[str, Any]) -> Any:
    return ConfigParser({**config, "device": "cpu"}).get_parsed_content("loss")


ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("Dice", {"top_smooth": 0.1}),
    ("Dice", {"squared_pred": True}),
    ("CrossEntropy", {}),
    ("Focal", {}),
    ("Focal", {"gamma": 1.5, "alpha": 0.7}),
    ("CrossEntropyDice", {}),
    ("CrossEntropyDice", {"cross_entropy_weight": 0.5, "dice_weight": 2.0, "smooth": 1e-3}),
    ("CrossEntropyDice", {"dice_weight": 0.0}),
    ("FocalDice", {"gamma": 3.0, "alpha": 0.4}),
]


@pytest.mark.parametrize("onehot", [False, True])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(("channels", "activation"), [(1, "sigmoid"), (2, "softmax"), (4, "softmax"), (3, "sigmoid")])
@pytest.mark.parametrize(("name", "args"), ARGUMENTS, ids=str)
def test_equals_the_exact_loss(
    name: str, args: dict[str, Any], channels: int, activation: str, skip: bool, onehot: bool
) -> None:
    if skip and channels == 1:
        pytest.skip("refused: nothing would be left")
    given = {**args, "skip_background": skip, "is_onehot_targets": onehot}
    context = BundleContext(outputs=channels, final_activation=activation)
    entry = exact_entry(name, given, context)
    form = native_loss(entry, Facts(activation=activation, channels=channels))
    assert form.difference == ""
    torch.manual_seed(3)
    logits = torch.randn(3, channels, 6, 5, 4, requires_grad=True)
    label = torch.randint(0, max(channels, 2), (3, 1, 6, 5, 4)).float()
    if onehot:
        label = label if channels == 1 else torch.nn.functional.one_hot(label[:, 0].long()).movedim(-1, 1).float()
    exact = ConfigParser({"loss": entry}).get_parsed_content("loss")(ACTIVATIONS[activation](logits), label)
    native = made({**form.more, "loss": form.value})(logits, label)
    assert native.item() == pytest.approx(exact.item(), abs=1e-5)
    slopes = [torch.autograd.grad(value, logits)[0] for value in (exact, native)]
    torch.testing.assert_close(slopes[0], slopes[1], atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize(
    ("args", "difference"),
    [
        (("Dice", {"jaccard": True}), "A perfect match has the loss 0, where it had -1"),
        (("CrossEntropy", {"smooth": 0.01}), r"Nothing is added to the probabilities, where 0.01 was"),
        (("CrossEntropyDice", {"jaccard": True, "cross_entropy_smooth": 0.1}), r"0.1 was\. A perfect match"),
    ],
)
def test_differences_are_told(args: tuple[str, dict[str, Any]], difference: str) -> None:
    entry = exact_entry(*args, BundleContext(outputs=2, final_activation="softmax"))
    form = native_loss(entry, Facts(activation="softmax", channels=2))
    assert re.search(difference, form.difference)


LABELS: list[tuple[list[int], str, list[float] | None]] = [
    ([1], "sigmoid", None),
    ([1, 1, 1], "sigmoid", None),
    ([1, 1], "linear", None),
    ([3], "softmax", None),
    ([3], "linear", None),
    ([1, 3], "linear", None),
    ([3, 2], "linear", None),
    ([1, 3], "linear", [0.5, 2.0, 1.0, 3.0, 0.25]),
    ([1, 1], "sigmoid", [0.5, 2.0, 1.0, 3.0]),
]


@pytest.mark.parametrize(("sizes", "activation", "weights"), LABELS, ids=str)
def test_a_classification_loss_equals_the_exact_one(
    sizes: list[int], activation: str, weights: list[float] | None
) -> None:
    outputs = sum(sizes)
    context = BundleContext(outputs=outputs, final_activation=activation, label_format=tuple(sizes))
    name = "MulticlassClassificationLoss" if weights is None else "WeightedMulticlassClassificationLoss"
    entry = exact_entry(name, {} if weights is None else {"class_weights": weights}, context)
    indices = len(sizes) == 1 and sizes[0] > 1
    facts = Facts(True, tuple(sizes), activation, outputs, indices=indices)
    form = native_loss(entry, facts)
    assert form.difference == ""
    torch.manual_seed(1)
    logits = torch.randn(7, outputs)
    label = torch.stack([torch.randint(0, max(size, 2), (7,)) for size in sizes], dim=1).float()
    exact = ConfigParser({"loss": entry}).get_parsed_content("loss")(ACTIVATIONS[activation](logits), label)
    native = made({"loss": form.value})(logits, label[:, 0].long() if indices else label)
    assert native.item() == pytest.approx(exact.item(), abs=1e-5)


@pytest.mark.parametrize(
    ("sizes", "activation", "weights", "difference"),
    [
        ((3,), "sigmoid", None, "go through a softmax, where they went through a sigmoid"),
        ((1, 2), "softmax", None, "through a sigmoid each, where they shared a softmax"),
        ((3,), "softmax", [1.0, 2.0, 3.0], "divided by the sum of the weights"),
        ((1, 1), "sigmoid", [0.0, 1.0, 1.0, 1.0], "the weight 0 count in the mean"),
    ],
)
def test_differences_of_classifications_are_told(
    sizes: tuple[int, ...], activation: str, weights: list[float] | None, difference: str
) -> None:
    entry = {"classes_per_label": list(sizes), "class_weights": weights, "activation": activation}
    entry["_target_"] = "clara_compat.engine.losses.classification.ClaraClassificationLoss"
    form = native_loss(entry, Facts(True, sizes, activation, sum(sizes), indices=len(sizes) == 1))
    assert difference in form.difference


@pytest.mark.parametrize(
    ("facts", "classes"),
    [(Facts(channels=3), 3), (Facts(), 2), (Facts(label_format=(1, 3)), 4), (Facts(channels=5, label_format=(2,)), 5)],
)
def test_how_many_outputs_a_network_has(facts: Facts, classes: int) -> None:
    assert facts.classes == classes


def test_a_stand_in_says_that_it_must_be_ported() -> None:
    form = stand_in_loss("mine.MyLoss", Facts(activation="softmax", channels=2))
    assert form.difference.startswith("A stand-in that must be ported: mine.MyLoss needs Clara")
    assert form.value == {"_target_": "DiceCELoss", "to_onehot_y": True, "softmax": True}
    labels = stand_in_loss("mine.MyLoss", Facts(True, (1, 1), "sigmoid", 2))
    assert labels.value == {"_target_": "torch.nn.BCEWithLogitsLoss"}
