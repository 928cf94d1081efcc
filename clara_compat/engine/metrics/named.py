"""Metrics under names that cannot be keys of a config."""

from __future__ import annotations

from collections.abc import Sequence

from ignite.metrics import Metric

__all__ = ["named_metrics"]


def named_metrics(names: Sequence[str], metrics: Sequence[Metric]) -> dict[str, Metric]:
    """Return the metrics by name, for an engine.

    ``ConfigParser`` reads ``#``, ``@`` or a leading ``_`` in a key as more than a name; here names are values.

    Args:
        names: one per metric.
        metrics: in the same order.
    """
    return dict(zip(names, metrics, strict=True))
