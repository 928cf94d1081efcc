"""The catalogue's losses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clara_compat.components import catalogue
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.losses.classification_loss import (
    BinaryClassificationLoss,
    MulticlassClassificationLoss,
    WeightedMulticlassClassificationLoss,
)
from clara_compat.components.losses.cross_entropy import CrossEntropy
from clara_compat.components.losses.cross_entropy_dice import CrossEntropyDice
from clara_compat.components.losses.dice import Dice
from clara_compat.components.losses.focal import Focal
from clara_compat.components.losses.focal_dice import FocalDice
from clara_compat.errors import ClaraError

DICE, FOCAL = "clara_compat.engine.losses.dice.ClaraDiceLoss", "clara_compat.engine.losses.focal.ClaraFocalLoss"
CROSS_ENTROPY = "clara_compat.engine.losses.cross_entropy.ClaraCrossEntropyLoss"
SUM = "clara_compat.engine.losses.weighted_sum.WeightedSumLoss"
LABELS = "clara_compat.engine.losses.classification.ClaraClassificationLoss"

ANY = BundleContext()
BOTH = {"skip_background": True, "is_onehot_targets": True}
OF_DICE = {"squared_pred": True, "jaccard": True, "smooth": 0.1, "top_smooth": 0.2}


@pytest.mark.parametrize(
    ("cls", "arguments", "target"),
    [
        (Dice, {**BOTH, **OF_DICE}, DICE),
        (Focal, {**BOTH, "gamma": 1.5, "alpha": 0.5}, FOCAL),
        (CrossEntropy, {**BOTH, "smooth": 0.3}, CROSS_ENTROPY),
    ],
)
def test_every_argument_is_passed_on(cls, arguments, target):
    assert cls("channels_last", **arguments).bundle_entry(ANY) == Entry(target, **arguments)


def test_documented_defaults():
    assert CrossEntropy().bundle_entry(ANY).arguments["smooth"] == 1e-8
    assert Dice().bundle_entry(ANY).arguments["smooth"] == 1e-5
    assert Dice().bundle_entry(ANY).arguments["top_smooth"] == 0.0


@pytest.mark.parametrize("cls", [CrossEntropy, Focal])
@pytest.mark.parametrize(
    ("activation", "outputs", "independent"),
    [("sigmoid", 3, True), ("sigmoid", 1, False), ("softmax", 3, False), (None, None, False)],
)
def test_several_sigmoid_channels_are_independent(cls, activation, outputs, independent):
    context = replace(ANY, final_activation=activation, outputs=outputs)
    assert cls().bundle_entry(context).arguments.get("is_independent_predictions", False) is independent


@pytest.mark.parametrize("cls", [CrossEntropy, Focal, Dice])
def test_labels_of_a_classification(cls):
    context = replace(ANY, label_format=(1, 3), outputs=4)
    with pytest.raises(ClaraError, match=rf"{cls.__name__} with is_onehot_targets false takes a label of 1 number, "):
        cls().bundle_entry(context)
    with pytest.raises(
        ClaraError, match=r"takes a label of 4 numbers, but output_label_format \[1, 3\] makes one of 2"
    ):
        cls(is_onehot_targets=True).bundle_entry(context)
    cls().bundle_entry(replace(context, label_format=(3,), outputs=3))
    cls(is_onehot_targets=True).bundle_entry(replace(context, label_format=(1, 1), outputs=2))


def test_sums_pass_every_argument_on():
    dice = Entry(DICE, **BOTH, **OF_DICE)
    weights = {"dice_weight": 0.25}
    found = CrossEntropyDice(
        "channels_last", **BOTH, **OF_DICE, cross_entropy_smooth=0.3, cross_entropy_weight=2.0, **weights
    )
    first = Entry(CROSS_ENTROPY, **BOTH, smooth=0.3)
    assert found.bundle_entry(ANY) == Entry(SUM, losses=[first, dice], weights=[2.0, 0.25])
    found = FocalDice("channels_last", **BOTH, **OF_DICE, gamma=1.5, alpha=0.5, focal_weight=2.0, **weights)
    first = Entry(FOCAL, **BOTH, gamma=1.5, alpha=0.5)
    assert found.bundle_entry(ANY) == Entry(SUM, losses=[first, dice], weights=[2.0, 0.25])


@pytest.mark.parametrize("cls", [CrossEntropyDice, FocalDice])
def test_sums_are_sums_of_the_parts_by_default(cls):
    first = Focal() if cls is FocalDice else CrossEntropy()
    parts = [first.bundle_entry(ANY), Dice().bundle_entry(ANY)]
    assert cls().bundle_entry(ANY) == Entry(SUM, losses=parts, weights=[1.0, 1.0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Focal(gamma=-1.0), r"gamma is -1\.0 but must not be negative"),
        (lambda: FocalDice(gamma=-1.0), r"gamma is -1\.0 but must not be negative"),
        (lambda: CrossEntropy(smooth=-0.1), r"smooth is -0\.1 but must not be negative"),
        (lambda: FocalDice(dice_weight=-2.0), r"dice_weight is -2\.0 but must not be negative"),
        (
            lambda: CrossEntropyDice(cross_entropy_weight=0.0, dice_weight=0.0),
            "cross_entropy_weight and dice_weight are 0, so nothing would be left: set one of them to 1",
        ),
        (
            lambda: WeightedMulticlassClassificationLoss([1.0, -1.0]),
            r"class_weights is \[1\.0, -1\.0\], expected numbers",
        ),
    ],
)
def test_refused_arguments(make, message):
    with pytest.raises(ClaraError, match=message):
        make()


@pytest.mark.parametrize("cls", [Dice, Focal, CrossEntropy, FocalDice, CrossEntropyDice])
def test_a_single_channel_has_no_background(cls):
    assert cls(skip_background=True).bundle_entry(replace(ANY, outputs=2))
    assert cls().bundle_entry(replace(ANY, outputs=1))
    with pytest.raises(ClaraError, match="skip_background is true but the model has a single output channel"):
        cls(skip_background=True).bundle_entry(replace(ANY, outputs=1))


@pytest.mark.parametrize("cls", [Focal, CrossEntropy, FocalDice, CrossEntropyDice])
def test_logarithms_need_probabilities(cls):
    with pytest.raises(
        ClaraError, match="takes the logarithm of probabilities, but the model's final_activation is 'linear'"
    ):
        cls().bundle_entry(replace(ANY, final_activation="linear"))
    assert Dice().bundle_entry(replace(ANY, final_activation="linear")).target == DICE


@pytest.mark.parametrize(
    ("loss", "formats", "weights"),
    [
        (BinaryClassificationLoss(), (1, 1), {}),
        (MulticlassClassificationLoss(), (1, 3), {}),
        (WeightedMulticlassClassificationLoss(), (1, 3), {}),
        (
            WeightedMulticlassClassificationLoss([1.0, 2.0, 3.0, 4.0, 5.0]),
            (1, 3),
            {"class_weights": [1.0, 2.0, 3.0, 4.0, 5.0]},
        ),
    ],
)
@pytest.mark.parametrize(("activation", "becomes"), [(None, "linear"), ("linear", "linear"), ("softmax", "softmax")])
def test_class_labels(loss, formats, weights, activation, becomes):
    context = replace(ANY, label_format=formats, outputs=sum(formats), final_activation=activation)
    assert loss.bundle_entry(context) == Entry(LABELS, classes_per_label=list(formats), **weights, activation=becomes)


@pytest.mark.parametrize(
    ("loss", "context", "message"),
    [
        (
            loss(),
            ANY,
            f"{loss.__name__} needs to know the labels: give output_label_format to the image_pipeline of train",
        )
        for loss in (BinaryClassificationLoss, MulticlassClassificationLoss, WeightedMulticlassClassificationLoss)
    ]
    + [
        (
            BinaryClassificationLoss(),
            replace(ANY, label_format=(1, 3)),
            r"BinaryClassificationLoss is for binary labels \(1\), but output_label_format is \[1, 3\]: use Multiclass",
        ),
        (
            MulticlassClassificationLoss(),
            replace(ANY, label_format=(1, 3), outputs=3),
            r"output_label_format \[1, 3\] needs 4 outputs, but the model has 3: mend num_classes of the model or",
        ),
        (
            WeightedMulticlassClassificationLoss([1.0, 2.0]),
            replace(ANY, label_format=(1, 3)),
            r"class_weights has 2 numbers, but output_label_format \[1, 3\] has 5 classes \(a binary label, 1,",
        ),
    ],
)
def test_class_labels_that_do_not_fit(loss, context, message):
    with pytest.raises(ClaraError, match=message):
        loss.bundle_entry(context)


def test_which_are_undocumented():
    known = catalogue.components()
    names = {name for name, cls in known.items() if catalogue.family(cls) == "losses" and cls.undocumented}
    assert names == {"Focal", "FocalDice", "CrossEntropyDice"}
