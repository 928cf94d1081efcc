"""The validation's metrics as MONAI's engines take them: a key metric and further ones, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.errors import ClaraError, suggestion
from clara_compat.translate.aux_ops import Tags
from clara_compat.translate.chain import component_entry, user_component
from clara_compat.translate.render import is_safe_key

__all__ = ["FIELDS", "Metrics", "NamedMetrics", "metric_entry", "metric_fields", "named_entries", "translate_metrics"]

FIELDS = ("model", "image", "label", "loss")
"""Fields that every step has."""

NamedMetrics = dict[str, Entry] | Entry | None


@dataclass(frozen=True)
class Metrics:
    """The validation's metrics.

    Args:
        key: the metric that chooses the best model, by its name.
        others: the further ones.
        entries: all of them.
        notices: what the user should know of the choice.
        unsummarised: names that TensorBoard leaves out (``do_summary`` false).
        unprinted: names that the console leaves out (``do_print`` false).
    """

    key: NamedMetrics = None
    others: NamedMetrics = None
    entries: list[Entry] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    unsummarised: list[str] = field(default_factory=list)
    unprinted: list[str] = field(default_factory=list)


def translate_metrics(
    specs: Sequence[ComponentSpec], tags: Tags, context: BundleContext, data_prop: Entry | None = None
) -> Metrics:
    """Translate the validation's metrics.

    The key metric chooses the best model; Clara's behaviour with none or several is not documented (`assumed`: the
    first one).

    Args:
        specs: the metrics.
        tags: tags of the auxiliary operations, which metrics can name as their field.
        context: of the validation.
        data_prop: what a user's own metric is told of the data.

    Raises:
        ClaraError: two metrics have the same name, or a metric refuses its arguments or reads a field nothing produces.
    """
    entries: dict[str, Entry] = {}
    keys: list[str] = []
    flags: dict[str, list[str]] = {"do_summary": [], "do_print": []}
    for spec in specs:
        name = str(spec.args.get("name", spec.name))
        if name in entries:
            raise ClaraError(f"two metrics are called '{name}': give one of them another name", spec.address)
        _check_fields(spec, tags)
        entries[name] = metric_entry(spec, name, context, data_prop)
        for flag, names in flags.items():
            if _argument(spec, flag) is False:
                names.append(name)
        if _is_key_metric(spec):
            keys.append(name)
    if not entries:
        return Metrics()
    chosen = keys[0] if keys else next(iter(entries))
    notices = []
    if len(keys) != 1:
        count = f"{len(keys)} metrics have" if keys else "no metric has"
        notices.append(f"{count} is_key_metric: '{chosen}' chooses the best model")
    every = list(entries.values())
    key = {chosen: entries.pop(chosen)}
    of_engine = named_entries(key), named_entries(entries)
    return Metrics(*of_engine, every, notices, flags["do_summary"], flags["do_print"])


def _check_fields(spec: ComponentSpec, tags: Tags) -> None:
    """Refuse a field that no engine will ever have, now rather than after the epochs before the first validation."""
    if not tags.complete:
        return
    known = [*FIELDS, *tags.names]
    for name, value in metric_fields(spec).items():
        if value not in known and value not in tags.of_the_items:
            raise ClaraError(
                f"nothing produces the field '{value}'{suggestion(value, known)} (there are {', '.join(known)}; "
                "aux_ops and pre_transforms can make more)",
                spec.arg_address(name),
            )


def metric_fields(spec: ComponentSpec) -> dict[str, str]:
    """Return the fields a metric reads, by the arguments that name them."""
    found = {name: _argument(spec, name) for name in ("field", "label_field")}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def metric_entry(spec: ComponentSpec, name: str, context: BundleContext, data_prop: Entry | None = None) -> Entry:
    """Return what a metric becomes.

    Args:
        spec: of the catalogue, or the user's own.
        name: the metric's name.
        context: its place.
        data_prop: what a user's own metric is told of the data.
    """
    if spec.cls is None:
        target = "clara_compat.engine.legacy.metric.LegacyMetric"
        entry = Entry(target, metric=user_component(spec), name=name, loss=context.loss, data_prop=data_prop)
        return entry.placed(spec.address)
    return component_entry(spec, context)


def named_entries(entries: dict[str, Entry]) -> NamedMetrics:
    """Return metrics by their names, which are the user's words and may mean more to ``ConfigParser``."""
    if all(map(is_safe_key, entries)):
        return entries or None
    target = "clara_compat.engine.metrics.named.named_metrics"
    return Entry(target, names=list(entries), metrics=list(entries.values()))


def _is_key_metric(spec: ComponentSpec) -> bool:
    """Whether a metric chooses the best model: its argument, or the default that a user's class gives it."""
    return _argument(spec, "is_key_metric") is True


def _argument(spec: ComponentSpec, name: str) -> Any:
    """Return an argument of a metric; of a user's class also the default, or the literal handed to ``Metric``."""
    if spec.cls is not None:
        return getattr(create(spec), name, None)
    if name in spec.args or spec.user is None:
        return spec.args.get(name)
    default = next((argument.default for argument in spec.user.signature or () if argument.name == name), None)
    return spec.user.literals.get(name) if default is None else default
