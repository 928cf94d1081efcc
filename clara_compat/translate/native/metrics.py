"""Metrics: those of MONAI and Ignite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.native_config import target_of, users_path

__all__ = ["ARGMAX", "METRICS", "OPERATIONS", "MetricForm", "compared", "native_metric", "stand_in_metric", "tags_of"]

_METRICS = "clara_compat.engine.metrics"
DICE = f"{_METRICS}.dice.ClaraDice"
AVERAGE = f"{_METRICS}.average.ClaraAverage"
AUC = f"{_METRICS}.auc.ClaraAUC"
LABELS_AUC = f"{_METRICS}.auc.ClaraMulticlassAverage"
METRICS = (DICE, AVERAGE, AUC, LABELS_AUC)
"""The metrics that have a native form."""

_ENGINE = "clara_compat.engine"
NEGATED_LOSS = f"{_ENGINE}.aux_ops.NegLoss"
DICE_OUTPUTS = f"{_ENGINE}.aux_dice.DiceOutputs"
ACCURACY = f"{_ENGINE}.aux_classification.Accuracy"
PROBABILITIES = f"{_ENGINE}.aux_classification.ClassProbabilities"
OPERATIONS = (NEGATED_LOSS, DICE_OUTPUTS, ACCURACY, PROBABILITIES)
"""The auxiliary operations whose values a metric can still have."""

ARGMAX = "argmax"

LOGITS, TARGET = "logits", "target"
"""Fields of the network's output, and of the label, as the loss takes them."""


@dataclass(frozen=True)
class MetricForm:
    """What a metric becomes.

    Args:
        entry: of MONAI's engines; None where there is none.
        difference: how its results differ.
        masks: how the prediction is made masks: a threshold, ``argmax`` or None for the values themselves.
        reads_loss: it reads the fields ``logits`` and ``target``.
        onehot: the label must have a channel per class for it.
    """

    entry: dict[str, Any] | None
    difference: str = ""
    masks: float | str | None = None
    reads_loss: bool = False
    onehot: bool = False


def compared(*fields: str) -> str:
    """Return the expression that hands fields of an engine's output to a metric."""
    return f"$monai.handlers.from_engine({list(fields)!r})"


def native_metric(entry: Mapping[str, Any], operations: Sequence[Mapping[str, Any]], facts: Facts) -> MetricForm:
    """Return what stands in the place of a metric.

    Args:
        entry: of the exact config.
        operations: the auxiliary operations of the engine.
        facts: of the config.
    """
    target, field = target_of(entry), str(entry.get("field", "pred"))
    owner = next((one for one in operations if field in tags_of(one)), None)
    if target == AVERAGE:
        return _average(entry, field, owner, facts)
    if target in (AUC, LABELS_AUC) and (field == "pred" or target_of(owner) == PROBABILITIES):
        return _auc(entry, owner, facts)
    if target == DICE and field == "pred" and entry.get("label_field") == "label":
        return _dice(entry, facts)
    own = users_path(entry)
    if own is not None:
        return MetricForm(None, f"{own[0]} needs Clara and is left out: port it to a metric of Ignite or MONAI.")
    return MetricForm(None, f"It compares '{field}', which this config does not compute, and is left out.")


def stand_in_metric(facts: Facts) -> MetricForm:
    """Return a usual metric in the place of a key metric that is left out."""
    text = "A stand-in chooses the best model."
    if facts.classifies:
        return MetricForm({"_target_": "ROCAUC", "output_transform": compared("pred", "label")}, text)
    several = facts.channels != 1
    entry = {"_target_": "MeanDice", "include_background": not several, "output_transform": compared("pred", "label")}
    return MetricForm(entry, text, masks=ARGMAX if several else 0.5, onehot=several)


def tags_of(operation: Mapping[str, Any]) -> list[str]:
    """Return the names of an auxiliary operation's values."""
    names = ("tag", "predictions_tag", "labels_tag")
    return [*operation.get("tags", []), *(operation[name] for name in names if name in operation)]


def _dice(entry: Mapping[str, Any], facts: Facts) -> MetricForm:
    several = facts.channels != 1
    found = {
        "_target_": "MeanDice",
        "include_background": not (entry["remove_bg"] and several),
        "output_transform": compared("pred", "label"),
    }
    text = "The Dice is that of whole volumes, not the mean over their slices." if entry.get("is_2d") else ""
    return MetricForm(found, text, entry["logit_thresh"], onehot=several and not entry["is_one_hot_targets"])


def _average(entry: Mapping[str, Any], field: str, owner: Mapping[str, Any] | None, facts: Facts) -> MetricForm:
    """Return what stands in the place of a mean over the batches: of the loss, or of an operation's values."""
    target, negated = target_of(owner), bool(entry.get("negate_value"))
    if field == "loss" or target == NEGATED_LOSS:
        negated = negated != (target == NEGATED_LOSS)
        function = "$lambda outputs, labels: -@loss(outputs, labels)" if negated else "@loss"
        found = {"_target_": "IgniteMetricHandler", "loss_fn": function}
        text = "The mean over the cases, where it was the mean over the batches."
        return MetricForm({**found, "output_transform": compared(LOGITS, TARGET)}, text, reads_loss=True)
    if owner is None or negated:
        return MetricForm(None, f"'{field}' is a value that this config does not compute, and is left out.")
    index = tags_of(owner).index(field)
    if target == DICE_OUTPUTS:
        return _dice_outputs(owner, index, facts)
    if target == ACCURACY:
        return _accuracy(owner, index, facts)
    return MetricForm(None, f"'{field}' is the value of an operation that has no counterpart, and is left out.")


def _dice_outputs(owner: Mapping[str, Any], index: int, facts: Facts) -> MetricForm:
    several = facts.channels != 1
    background = bool(index) or not (owner["skip_background"] and several)
    transform = compared("pred", "label")
    if index:
        channel = index - 1 + int(owner["skip_background"])
        cut = f"[{channel}:{channel + 1}] for one in output]"
        transform = f"$lambda output: ([one['pred']{cut}, [one['label']{cut})"
    if owner.get("masked", True):
        found = {"_target_": "MeanDice", "include_background": background, "output_transform": transform}
    else:
        dice = {"_target_": "DiceMetric", "include_background": background, "ignore_empty": False}
        found = {"_target_": "IgniteMetricHandler", "metric_fn": dice, "output_transform": transform}
    alone = owner.get("is_independent_predictions", False) or not several
    text = "The mean over the classes of a case and then over the cases, where it was over batches."
    return MetricForm(found, text, 0.5 if alone else ARGMAX, onehot=several and not owner["is_onehot_targets"])


def _accuracy(owner: Mapping[str, Any], index: int, facts: Facts) -> MetricForm:
    sizes = facts.label_format
    if index or not facts.classifies or sizes is None or (len(sizes) > 1 and set(sizes) != {1}):
        return MetricForm(None, "The accuracy of labels of several kinds has no counterpart and is left out.")
    if set(sizes) == {1}:
        threshold = 0.0 if owner.get("use_sigmoid") else 0.5  # the network's outputs are logits, or not
        predicted = f"torch.cat([(one['pred'] >= {threshold}).float() for one in output])"
        true = "torch.cat([one['label'] for one in output])"
    else:
        predicted = "torch.stack([one['pred'] for one in output])"
        true = "torch.stack([one['label'].argmax() for one in output])"
    found = {"_target_": "ignite.metrics.Accuracy", "output_transform": f"$lambda output: ({predicted}, {true})"}
    return MetricForm(found, "The mean over the cases, where it was the mean over the batches.")


def _auc(entry: Mapping[str, Any], owner: Mapping[str, Any] | None, facts: Facts) -> MetricForm:
    columns = entry.get("outputs")
    sizes = list(entry.get("classes_per_label") or facts.label_format or ())
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    label = entry.get("label_index")
    if label is not None and label < len(sizes):
        columns = list(range(starts[label], starts[label] + sizes[label]))
    if owner is not None and owner.get("binary_only"):
        columns = [start for start, size in zip(starts, sizes, strict=True) if size == 1]
    transform = compared("pred", "label")
    if columns is not None:
        cut = f"[{columns!r}] for one in output]"
        transform = f"$lambda output: ([one['pred']{cut}, [one['label']{cut})"
    found = {"_target_": "ROCAUC", "average": entry.get("average") or "macro", "output_transform": transform}
    texts = ["It is nan where a class has no positive or no negative case, which was left out of the mean."]
    if target_of(entry) == LABELS_AUC and label is None and len(set(sizes)) > 1:
        texts.append("Every class counts alike, where every label did.")
    return MetricForm(found, " ".join(texts))
