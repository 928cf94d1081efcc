"""Losses on probabilities: those of MONAI and torch, on logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.classification_losses import native_classification_loss
from clara_compat.translate.native.facts import CLASSES, Facts
from clara_compat.translate.native.loss_form import LossForm
from clara_compat.translate.native.native_config import target_of

__all__ = ["CROSS_ENTROPY", "DICE", "FOCAL", "LOSSES", "SUM", "native_loss", "stand_in_loss"]

_ENGINE = "clara_compat.engine.losses"
DICE = f"{_ENGINE}.dice.ClaraDiceLoss"
CROSS_ENTROPY = f"{_ENGINE}.cross_entropy.ClaraCrossEntropyLoss"
FOCAL = f"{_ENGINE}.focal.ClaraFocalLoss"
SUM = f"{_ENGINE}.weighted_sum.WeightedSumLoss"
LOSSES = (DICE, CROSS_ENTROPY, FOCAL, SUM, CLASSES)
"""The losses that have a native form."""

_SMOOTH = 1e-6
"""A ``smooth`` of the cross entropy up to which its values are those without one."""


def native_loss(entry: Mapping[str, Any], facts: Facts) -> LossForm:
    """Return what stands in the place of a loss of the catalogue, one of :data:`LOSSES`."""
    target = target_of(entry)
    if target == CLASSES:
        return native_classification_loss(entry, facts)
    if target == SUM:
        return _sum(entry, facts)
    found, difference = _PARTS[target](entry, facts)
    return LossForm(found, difference)


def stand_in_loss(path: str, facts: Facts) -> LossForm:
    """Return a usual loss in the place of the user's own, which needs Clara.

    Args:
        path: of the user's class.
        facts: of the config.
    """
    text = f"A stand-in that must be ported: {path} needs Clara, so a usual loss is in its place."
    if facts.classifies:
        sizes = list(facts.label_format or [1] * facts.classes)
        return LossForm(native_classification_loss({"classes_per_label": sizes}, facts).value, text)
    onehot = {} if facts.channels == 1 else {"to_onehot_y": True}
    return LossForm({"_target_": "DiceCELoss", **onehot, **facts.activating}, text)


def _labels(entry: Mapping[str, Any], facts: Facts) -> dict[str, Any]:
    """Return the argument that says that the label holds class indices; a single channel is compared as it is."""
    return {"to_onehot_y": True} if not entry["is_onehot_targets"] and facts.channels != 1 else {}


def _dice(entry: Mapping[str, Any], facts: Facts) -> tuple[dict[str, Any], str]:
    found = {
        "_target_": "DiceLoss",
        **({"include_background": False} if entry["skip_background"] else {}),
        **_labels(entry, facts),
        **facts.activating,
        **{name: True for name in ("squared_pred", "jaccard") if entry[name]},
        "smooth_nr": entry["top_smooth"],
        "smooth_dr": entry["smooth"],
    }
    texts = []
    if entry["jaccard"]:
        texts.append("A perfect match has the loss 0, where it had -1: the index counts once instead of twice.")
    if facts.classifies:
        texts.append("Without axes of voxels MONAI takes one Dice of the whole batch.")
    return found, " ".join(texts)


def _voxelwise(entry: Mapping[str, Any], facts: Facts, gamma: float, factor: float) -> tuple[dict[str, Any], str]:
    """Return a focal loss whose mean over voxels and channels is the exact mean over voxels.

    With a softmax, only the terms of the voxels' classes are added: C times the mean over the C channels. A background
    that is skipped has the weight 0, as its channel takes part in the softmax.
    """
    found: dict[str, Any] = {"_target_": "FocalLoss", **_labels(entry, facts), "gamma": gamma}
    if facts.channels == 1 or entry.get("is_independent_predictions", False):
        skipped = {"include_background": False} if entry["skip_background"] else {}
        return {**found, **skipped, **({} if factor == 1.0 else {"weight": factor})}, _of_outputs(facts)
    weights = [facts.classes * factor] * facts.classes
    if entry["skip_background"]:
        weights[0] = 0.0
    return {**found, "use_softmax": True, "weight": weights}, _of_outputs(facts)


def _of_outputs(facts: Facts) -> str:
    """Say what becomes of outputs that were taken for probabilities."""
    return (
        "" if facts.activation != "linear" else "The outputs are taken for logits, where they were for probabilities."
    )


def _cross_entropy(entry: Mapping[str, Any], facts: Facts) -> tuple[dict[str, Any], str]:
    if facts.channels != 1 and (entry["skip_background"] or entry.get("is_independent_predictions", False)):
        found, text = _voxelwise(entry, facts, gamma=0.0, factor=1.0)
    else:
        found = {"_target_": "DiceCELoss", **_labels(entry, facts), **facts.activating, "lambda_dice": 0.0}
        text = _of_outputs(facts)
    if entry["smooth"] > _SMOOTH:
        text = f"Nothing is added to the probabilities, where {entry['smooth']} was. {text}".strip()
    return found, text


def _focal(entry: Mapping[str, Any], facts: Facts) -> tuple[dict[str, Any], str]:
    return _voxelwise(entry, facts, entry["gamma"], entry["alpha"])


_PARTS = {DICE: _dice, CROSS_ENTROPY: _cross_entropy, FOCAL: _focal}


def _sum(entry: Mapping[str, Any], facts: Facts) -> LossForm:
    """Return one loss of MONAI for a sum of two where there is one, otherwise the sum of the native parts."""
    weights = entry.get("weights") or [1.0] * len(entry["losses"])
    kept = [(part, weight) for part, weight in zip(entry["losses"], weights, strict=True) if weight]
    forms = [native_loss(part, facts) for part, _ in kept]
    difference = " ".join(dict.fromkeys(form.difference for form in forms if form.difference))
    if len(kept) == 1 and kept[0][1] == 1:
        return LossForm(forms[0].value, difference)
    one = _one_loss({target_of(part): (part, weight) for part, weight in kept}, facts) if len(kept) == 2 else None
    if one is not None:
        return LossForm(one, difference)
    names = [f"loss_{number}" for number in range(1, len(kept) + 1)]
    terms = [f"{weight} * @{name}(outputs, labels)" for name, (_, weight) in zip(names, kept, strict=True)]
    more = {name: form.value for name, form in zip(names, forms, strict=True)}
    return LossForm(f"$lambda outputs, labels: {' + '.join(terms)}", difference, more)


def _one_loss(parts: Mapping[str, tuple[Mapping[str, Any], float]], facts: Facts) -> dict[str, Any] | None:
    """Return the one loss of MONAI that is the sum of a Dice loss and another; None where there is none."""
    if DICE not in parts:
        return None
    dice, weight = parts[DICE]
    found, _ = _dice(dice, facts)
    if CROSS_ENTROPY in parts:
        other, factor = parts[CROSS_ENTROPY]
        own, _ = _cross_entropy(other, facts)
        if own["_target_"] == "DiceCELoss" and other["is_onehot_targets"] == dice["is_onehot_targets"]:
            return {**found, "_target_": "DiceCELoss", "lambda_dice": weight, "lambda_ce": factor}
    if FOCAL in parts:
        other, factor = parts[FOCAL]
        own, _ = _focal(other, facts)
        alike = all(other[name] == dice[name] for name in ("is_onehot_targets", "skip_background"))
        if "use_softmax" not in own and alike:
            weights = {"lambda_dice": weight, "lambda_focal": factor * other["alpha"]}
            return {**found, "_target_": "DiceFocalLoss", "gamma": other["gamma"], **weights}
    return None
