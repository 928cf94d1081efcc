"""What a validation computes of the network's outputs: postprocessing and metrics."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import Any, NamedTuple

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
from clara_compat.translate.places import plain_text

__all__ = ["Validation", "label_columns", "named_metrics", "native_validation", "note_names"]

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


class NamedMetric(NamedTuple):
    """A metric of a config.

    Args:
        place: its id below that of the metrics.
        name: as the name of an entry; no two of a config have the same.
        entry: the metric.
    """

    place: str
    name: str
    entry: Mapping[str, Any]


def named_metrics(value: Any, taken: Collection[str] = ()) -> Iterator[NamedMetric]:
    """Yield metrics by their names, of which any text may be one.

    Args:
        value: the entry of the metrics.
        taken: names of others.
    """
    if target_of(value) == _NAMED:
        names = set(taken)
        for number, (name, metric) in enumerate(zip(value["names"], value["metrics"], strict=True)):
            plain = re.sub(r"\W+", "_", plain_text(name) or "").strip("_") or "metric"
            free = next(one for one in chain([plain], (f"{plain}_{n}" for n in count(2))) if one not in names)
            names.add(free)
            yield NamedMetric(f"metrics#{number}", free, metric)
    elif isinstance(value, Mapping):
        yield from (NamedMetric(name, name, metric) for name, metric in value.items())


def note_names(value: Any, place: str, notes: Notes) -> None:
    """Note that metrics are entries by their names, where names and metrics were lists."""
    if target_of(value) == _NAMED:
        notes.add(place, value)


def native_validation(
    section: Mapping[str, Any], operations: Mapping[str, Mapping[str, Any]], notes: Notes, facts: Facts
) -> Validation:
    """Return the metrics of a validation, and what is made of the outputs for them.

    Args:
        section: ``validate`` of the exact config.
        operations: the auxiliary operations of the validation, by their ids.
        notes: takes what changes.
        facts: of the config.
    """
    forms: dict[str, MetricForm] = {}
    key = ""
    for where in _METRICS:
        note_names(section.get(where), f"validate#{where}", notes)
        for place, name, metric in named_metrics(section.get(where), forms):
            form = native_metric(metric, list(operations.values()), facts)
            if form.entry is None and where == _METRICS[0]:
                stand_in = stand_in_metric(facts)
                form = replace(stand_in, difference=f"{form.difference} {stand_in.difference}")
            masks = next((one.masks for one in forms.values() if one.masks is not None), form.masks)
            text = form.difference
            if form.masks is not None and form.masks != masks:
                own = f"The masks are those of the first metric ({masks}), where they were its own ({form.masks})."
                text = f"{text} {own}".strip()
            if metric.get("report_path") is not None:
                text = f"{text} No report is written.".strip()
            notes.add(f"validate#{where}#{place}", metric, form.entry or "", text)
            if form.entry is not None:
                forms[name] = form
                key = name if where == _METRICS[0] else key
    _note_operations(operations, section, notes)
    entries = {name: form.entry for name, form in forms.items()}
    first = {key: entries.pop(key)} if key else {}
    return Validation(_postprocessing(list(forms.values()), facts), first, entries)


def _note_operations(operations: Mapping[str, Mapping[str, Any]], section: Mapping[str, Any], notes: Notes) -> None:
    """Say what becomes of the operations: metrics take over those that they read, in the validation only."""
    metrics = [one for where in _METRICS for one in named_metrics(section.get(where))]
    read = {metric.entry.get(name) for metric in metrics for name in ("field", "label_field")}
    for place, operation in operations.items():
        taken = read & {*tags_of(operation)}
        text = "" if taken else "It is left out: no metric reads it."
        notes.add(place, operation, "", text)


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
