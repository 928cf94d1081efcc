"""The metrics of an evaluation, and what is made of its fields for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.metrics import AUC, DICE, LABELS_AUC, compared, native_metric
from clara_compat.translate.native.native_config import Notes, target_of
from clara_compat.translate.native.prediction import PRED
from clara_compat.translate.native.validation import label_columns, named_metrics, note_names

__all__ = ["native_evaluation_metrics"]


def native_evaluation_metrics(
    metrics: Any, post: Sequence[Mapping[str, Any]], notes: Notes, facts: Facts
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the metrics by their names, and the transforms that prepare the fields for them.

    Args:
        metrics: of the exact config.
        post: the exact chain of the prediction.
        notes: takes what changes.
        facts: of the config.
    """
    whole = not any(one.get("argmax") and "model" in one.get("keys", ()) for one in post)
    found: dict[str, Any] = {}
    prepared: dict[str, dict[str, Any]] = {}
    note_names(metrics, "metrics", notes)
    for place, name, metric in named_metrics(metrics):
        field = str(metric.get("field", PRED))
        if target_of(metric) == DICE:
            several = field == PRED and whole and facts.channels != 1
            entry = {
                "_target_": "MeanDice",
                "include_background": not (metric["remove_bg"] and several),
                "output_transform": compared(field, metric["label_field"]),
            }
            text = "The Dice is that of whole volumes, not the mean over their slices." if metric["is_2d"] else ""
            _prepare(prepared, metric, field, several, facts)
        elif target_of(metric) in (AUC, LABELS_AUC):
            form = native_metric({**metric, "field": PRED}, [], facts)
            both = form.entry or {}
            names = {PRED: repr(field), "label": repr(metric["label_field"])}
            parts = re.split(rf"'({PRED}|label)'", both["output_transform"])  # every second one is a name
            named = [names[part] if odd % 2 else part for odd, part in enumerate(parts)]
            entry = {**both, "output_transform": "".join(named)}
            text = form.difference
            for column in label_columns(replace(facts, classifies=True)):
                prepared.setdefault(metric["label_field"], {**column, "keys": metric["label_field"]})
        else:
            form = native_metric(metric, [], facts)
            notes.add(f"metrics#{place}", metric, "", form.difference)
            continue
        if metric.get("report_path") is not None:
            text = f"{text} The table of its values has MONAI's layout.".strip()
        notes.add(f"metrics#{place}", metric, entry, text)
        found[name] = entry
    return found, list(prepared.values())


def _prepare(
    prepared: dict[str, dict[str, Any]], metric: Mapping[str, Any], field: str, several: bool, facts: Facts
) -> None:
    """Add what makes masks of the two fields of a Dice; a field is only prepared once."""
    label = metric["label_field"]
    prepared.setdefault(field, {"_target_": "AsDiscreted", "keys": field, "threshold": metric["logit_thresh"]})
    if metric["is_one_hot_targets"]:
        form: dict[str, Any] = {"threshold": 0.5}
    else:
        form = {"to_onehot": facts.classes} if several else {"threshold": 1}
    prepared.setdefault(label, {"_target_": "AsDiscreted", "keys": label, **form})
