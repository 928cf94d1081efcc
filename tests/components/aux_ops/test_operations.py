"""The catalogue's auxiliary operations: arguments, tags, entries."""

from __future__ import annotations

import pytest
import torch
from monai.bundle import ConfigParser

from clara_compat.components.aux_ops.compute_accuracy import ComputeAccuracy
from clara_compat.components.aux_ops.compute_binary_preds import ComputeBinaryPreds
from clara_compat.components.aux_ops.compute_dice import ComputeDice
from clara_compat.components.aux_ops.compute_multiclass_accuracy import ComputeMulticlassAccuracy
from clara_compat.components.aux_ops.compute_multiclass_preds import ComputeMulticlassPreds
from clara_compat.components.aux_ops.dice_masked_output import DiceMaskedOutput
from clara_compat.components.aux_ops.neg_loss import NegLoss
from clara_compat.components.aux_ops.reduce_mean_masked import ReduceMeanMasked
from clara_compat.components.entry import BundleContext
from clara_compat.errors import ClaraError
from clara_compat.translate.render import render

SEGMENTATION = {
    "pred": torch.tensor([[[0.9, 0.2, 0.4]], [[0.1, 0.8, 0.6]]])[None],
    "label": torch.tensor([[[[0, 1, 0]]]]),
}
"""Three voxels of two classes: the last is predicted wrong."""
LABELS = (1, 3)
CLASSIFICATION = {
    "pred": torch.tensor([[2.0, 0.0, 3.0, 1.0], [-1.0, 4.0, 0.0, 0.0]]),
    "label": torch.tensor([[1.0, 1.0], [1.0, 2.0]]),
}


def run(operation, output, label_format=None, activation=None):
    entry = operation.bundle_entry(BundleContext(label_format=label_format, final_activation=activation))
    found = ConfigParser({"op": render(entry)}).get_parsed_content("op")
    assert (found.do_summary, found.do_print) == (operation.do_summary, operation.do_print)
    return {tag: value.tolist() for tag, value in found(dict(output)).items()}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (DiceMaskedOutput(["d"], do_print=False), {"d": (2 / 3 + 2 / 3) / 2}),
        (DiceMaskedOutput("d", skip_background=True), {"d": 2 / 3}),
        (
            DiceMaskedOutput(["d", "one"], skip_background=True, is_independent_predictions=True),
            {"d": 2 / 3, "one": 2 / 3},
        ),
        (ComputeDice("d", do_summary=False), {"d": 2 / 3}),
        (ComputeDice(tags=["d", "a", "b"]), {"d": 2 / 3, "a": 2 / 3, "b": 2 / 3}),
        (ReduceMeanMasked("m"), {"m": (0.65 + 0.8) / 2}),
        (ReduceMeanMasked(tags=["m", "b"], skip_background=True), {"m": 0.8, "b": 0.8}),
        (ComputeAccuracy("a"), {"a": 2 / 3}),
    ],
)
def test_segmentation(operation, expected):
    assert run(operation, SEGMENTATION) == pytest.approx(expected, rel=1e-6)
    assert operation.tags == tuple(expected)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (ComputeAccuracy("a", use_sigmoid=True), {"a": 2 / 4}),
        (ComputeMulticlassAccuracy("a"), {"a": 2 / 4}),
        (ComputeMulticlassAccuracy(tags=["a", "b", "c"], do_print=False), {"a": 2 / 4, "b": 1 / 2, "c": 1 / 2}),
    ],
)
def test_classification(operation, expected):
    assert run(operation, CLASSIFICATION, LABELS) == pytest.approx(expected)


def test_predictions_for_metrics():
    found = run(ComputeBinaryPreds(), CLASSIFICATION, LABELS)
    assert found["binary_preds"] == [[pytest.approx(0.8807970)], [pytest.approx(0.2689414)]]
    assert found["binary_labels"] == [[1.0], [1.0]]
    found = run(ComputeMulticlassPreds("p", "l", use_sigmoid_for_binary=False), CLASSIFICATION, LABELS)
    assert found["p"][0][0] == 2.0
    assert sum(found["p"][0][1:]) == pytest.approx(1.0)
    assert found["l"] == CLASSIFICATION["label"].tolist()


ACTIVATED = {"pred": torch.tensor([[0.1], [0.2], [0.05], [0.9]]), "label": torch.tensor([[0.0], [0.0], [0.0], [1.0]])}


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_an_activation_is_not_applied_twice(activation):
    for operation in (ComputeMulticlassAccuracy(tag="a"), ComputeAccuracy("a", use_sigmoid=True)):
        assert run(operation, ACTIVATED, (1,), activation) == {"a": 1.0}
        logits = ACTIVATED | {"pred": ACTIVATED["pred"].logit()}
        assert run(operation, logits, (1,), "linear") == run(operation, logits, (1,)) == {"a": 1.0}
    for operation in (ComputeBinaryPreds("p", "l"), ComputeMulticlassPreds("p", "l")):
        assert run(operation, ACTIVATED, (1,), activation)["p"] == ACTIVATED["pred"].tolist()
    three = {"pred": torch.tensor([[0.2, 0.5, 0.3]]), "label": torch.tensor([[1.0]])}
    assert run(ComputeMulticlassPreds("p", "l"), three, (3,), activation)["p"] == three["pred"].tolist()


def test_a_switch_without_effect_is_said():
    activated, raw = BundleContext(final_activation="sigmoid"), BundleContext(final_activation="linear")
    [notice] = ComputeAccuracy("a", use_sigmoid=True).notices(activated)
    assert notice == "use_sigmoid has no effect: the model's outputs have gone through its sigmoid already"
    assert ComputeAccuracy("a", use_sigmoid=True).notices(raw) == ComputeAccuracy("a").notices(activated) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NegLoss("label"), "the tag 'label' is the name of a field of every step"),
        (lambda: DiceMaskedOutput([]), "needs a tag"),
        (lambda: DiceMaskedOutput([""]), "needs a tag"),
        (lambda: DiceMaskedOutput(["a", "b", "a"]), "the tag 'a' is given twice"),
        (ComputeDice, "give either 'tag' or 'tags'"),
        (lambda: ComputeDice("a", ["b"]), "give either 'tag' or 'tags'"),
        (lambda: ComputeBinaryPreds("a", "a"), "the tag 'a' is given twice"),
        (
            lambda: DiceMaskedOutput(["a"], True).check_channels(1),
            "skip_background is true but the network has a single",
        ),
        (
            lambda: DiceMaskedOutput(["a", "b"]).check_channels(3),
            "2 tags for 3 counted channels, expected one .* 4 for",
        ),
        (
            lambda: ComputeMulticlassAccuracy(tags=["a", "b"]).bundle_entry(BundleContext(label_format=LABELS)),
            r"2 tags for 2 labels \(output_label_format\), expected one tag for all labels, or 3",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ClaraError, match=message):
        make()


def test_tags_that_fit():
    for tags, channels in ((["a"], 5), (["a", "b", "c"], 3)):
        DiceMaskedOutput(tags, skip_background=True).check_channels(channels)
    NegLoss("a").check_channels(1)
