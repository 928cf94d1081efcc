"""What a validation computes of the network's outputs: postprocessing and metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.metrics import (
    ARGMAX,
    LOGITS,
    TARGET,
    MetricForm,
    native_metric,
    stand_in_metric,
    tags_of,
)
from clara_compat.translate.native.native_config import Notes, target_of

__all__ = ["Validation", "label_columns", "named_metrics", "native_validation"]

_METRICS = ("key_metric", "additional_metrics")
"""Entries of the section: the metric that chooses the best model, and the others."""
_NAMED = "clara_compat.engine.metrics.named.named_metrics"


@dataclass(frozen=True)
class Validation:
    """What a validation computes.

    Args:
        postprocessing: transforms of a case.
        key: the metric that chooses the best model, by its name; empty without one.
        others: the further metrics.
    """

    postprocessing: list[dict[str, Any]] = field(default_factory=list)
    key: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)


def named_metrics(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the metrics of a config by their names, which need not be those of entries."""
    if target_of(value) == _NAMED:
        for name, metric in zip(value["names"], value["metrics"], strict=True):
            yield re.sub(r"\W+", "_", str(name).removeprefix("$")).strip("_") or "metric", metric
    elif isinstance(value, Mapping):
        yield from value.items()


def native_validation(
    section: Mapping[str, Any], operations: Sequence[Mapping[str, Any]], notes: Notes, facts: Facts
) -> Validation:
    """Return the metrics of a validation, and what is made of the outputs for them.

    Args:
        section: ``validate`` of the exact config.
        operations: the auxiliary operations of the validation.
        notes: takes what changes.
        facts: of the config.
    """
    forms: dict[str, MetricForm] = {}
    key = ""
    for where in _METRICS:
        for name, metric in named_metrics(section.get(where)):
            form = native_metric(metric, operations, facts)
            if form.entry is None and where == _METRICS[0]:
                stand_in = stand_in_metric(facts)
                form = MetricForm(
                    stand_in.entry, f"{form.difference} {stand_in.difference}", stand_in.masks, onehot=stand_in.onehot
                )
            masks = next((one.masks for one in forms.values() if one.masks is not None), form.masks)
            text = form.difference
            if form.masks is not None and form.masks != masks:
                own = f"The masks are those of the first metric ({masks}), where they were its own ({form.masks})."
                text = f"{text} {own}".strip()
            if metric.get("report_path") is not None:
                text = f"{text} No report is written.".strip()
            notes.add(f"validate#{where}#{name}", metric, form.entry or "", text)
            if form.entry is not None:
                forms[name] = form
                key = name if where == _METRICS[0] else key
    _note_operations(operations, section, notes)
    entries = {name: form.entry for name, form in forms.items()}
    first = {key: entries.pop(key)} if key else {}
    return Validation(_postprocessing(list(forms.values()), facts), first, entries)


def _note_operations(operations: Sequence[Mapping[str, Any]], section: Mapping[str, Any], notes: Notes) -> None:
    """Say what becomes of the operations: metrics take over those that they read, in the validation only."""
    metrics = [one for where in _METRICS for one in named_metrics(section.get(where))]
    read = {metric.get(name) for _, metric in metrics for name in ("field", "label_field")}
    for number, operation in enumerate(operations):
        taken = read & {*tags_of(operation)}
        text = "" if taken else "It is left out: no metric reads it."
        notes.add(f"validate#handlers#ops#{number}", operation, "", text)


def _postprocessing(forms: Sequence[MetricForm], facts: Facts) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if any(form.reads_loss for form in forms):
        found.append({"_target_": "CopyItemsd", "keys": ["pred", "label"], "names": [LOGITS, TARGET]})
    if facts.activating:
        found.append({"_target_": "Activationsd", "keys": "pred", **facts.activating})
    masks = next((form.masks for form in forms if form.masks is not None), None)
    if masks == ARGMAX:
        found.append({"_target_": "AsDiscreted", "keys": "pred", "argmax": True, "to_onehot": facts.classes})
    elif masks is not None:
        found.append({"_target_": "AsDiscreted", "keys": "pred", "threshold": masks})
    if any(form.onehot for form in forms):
        found.append({"_target_": "AsDiscreted", "keys": "label", "to_onehot": facts.classes})
    if facts.classifies:
        found += label_columns(facts)
    return found


def label_columns(facts: Facts) -> list[dict[str, Any]]:
    """Return what gives the label of a classification a number per output of the network."""
    sizes = list(facts.label_format or ())
    if not sizes or set(sizes) == {1}:
        return []
    if len(sizes) == 1:
        return [{"_target_": "AsDiscreted", "keys": "label", "to_onehot": sizes[0]}]
    columns = "y[None] if n == 1 else torch.nn.functional.one_hot(y.long(), n)"
    func = f"$lambda label: torch.cat([{columns} for y, n in zip(label, {sizes!r})])"
    return [{"_target_": "Lambdad", "keys": "label", "func": func}]
