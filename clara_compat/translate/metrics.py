"""The validation's metrics as MONAI's engines take them: a key metric and further ones, by name."""

from __future__ import annotations

from collections.abc import Sequence

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.errors import ClaraError
from clara_compat.translate.chain import component_entries, user_component
from clara_compat.translate.render import is_safe_key

__all__ = ["translate_metrics"]

NamedMetrics = dict[str, Entry] | Entry | None


def translate_metrics(
    specs: Sequence[ComponentSpec], context: BundleContext
) -> tuple[NamedMetrics, NamedMetrics, list[str]]:
    """Return the key metric, the further metrics, and what the user should know of the choice.

    The key metric chooses the best model; Clara's behaviour with none or several is not documented (`assumed`: the
    first one).

    Raises:
        ClaraError: two metrics have the same name, or a metric refuses its arguments.
    """
    entries: dict[str, Entry] = {}
    keys: list[str] = []
    for spec in specs:
        name = str(spec.args.get("name", spec.name))
        if name in entries:
            raise ClaraError(f"two metrics are called '{name}': give one of them another name", spec.address)
        entries[name] = _entry(spec, name, context)
        if _is_key_metric(spec):
            keys.append(name)
    if not entries:
        return None, None, []
    chosen = keys[0] if keys else next(iter(entries))
    notices = []
    if len(keys) != 1:
        count = f"{len(keys)} metrics have" if keys else "no metric has"
        notices.append(f"{count} is_key_metric: '{chosen}' chooses the best model")
    key = {chosen: entries.pop(chosen)}
    return _named(key), _named(entries), notices


def _entry(spec: ComponentSpec, name: str, context: BundleContext) -> Entry:
    if spec.cls is None:
        target = "clara_compat.engine.legacy.metric.LegacyMetric"
        return Entry(target, metric=user_component(spec), name=name, loss=context.loss)
    [entry] = component_entries(spec, context)
    return entry


def _named(entries: dict[str, Entry]) -> NamedMetrics:
    """Return metrics by their names, which are the user's words and may mean more to ``ConfigParser``."""
    if all(map(is_safe_key, entries)):
        return entries or None
    target = "clara_compat.engine.metrics.named.named_metrics"
    return Entry(target, names=list(entries), metrics=list(entries.values()))


def _is_key_metric(spec: ComponentSpec) -> bool:
    """Whether a metric chooses the best model: its argument, or the default that a user's class gives it."""
    if spec.cls is not None:
        return bool(getattr(create(spec), "is_key_metric", False))
    given = spec.args.get("is_key_metric")
    if given is None and spec.user is not None and spec.user.signature is not None:
        given = next((argument.default for argument in spec.user.signature if argument.name == "is_key_metric"), None)
    return given is True
