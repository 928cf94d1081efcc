"""What of a stitched prediction must be held for a validation: its values, or only which of them reach a threshold."""

from __future__ import annotations

from collections.abc import Sequence

from clara_compat.components.entry import Entry

__all__ = ["held_as_masks"]

_ENGINE = "clara_compat.engine"
_READ = {"pred", "loss"}
"""Fields that are the prediction, or computed from it by the metric itself."""


def held_as_masks(inferer: Entry, metrics: Sequence[Entry], operations: Sequence[Entry]) -> Entry:
    """Return a window scan that holds masks only, if that is all the validation needs; else the inferer itself.

    Args:
        inferer: of the validation.
        metrics: of the validation.
        operations: auxiliary operations of the validation.
    """
    threshold = _mask_threshold(metrics, operations)
    if inferer.target != "SlidingWindowInferer" or threshold is None:
        return inferer
    return Entry(f"{_ENGINE}.mask_inferer.MaskInferer", inferer=inferer, threshold=threshold)


def _mask_threshold(metrics: Sequence[Entry], operations: Sequence[Entry]) -> float | None:
    """Return the threshold that is all a validation wants to know of the prediction's values, beside the greatest.

    That is a number above 0 and at most 1, or None: somebody needs the values, or there is more than one threshold.
    """
    thresholds = {_of_metric(entry) for entry in metrics if _READ & {*_fields(entry)}}
    thresholds |= {_of_operation(entry) for entry in operations}
    if len(thresholds) != 1:
        return None
    [threshold] = thresholds
    return threshold if threshold is not None and 0.0 < threshold <= 1.0 else None


def _fields(entry: Entry) -> list[str]:
    """Return the fields that a metric reads; a user's own is taken to read the prediction."""
    return [entry.arguments.get("field", "pred"), entry.arguments.get("label_field", "label")]


def _of_metric(entry: Entry) -> float | None:
    return entry.arguments["logit_thresh"] if entry.target == f"{_ENGINE}.metrics.dice.ClaraDice" else None


def _of_operation(entry: Entry) -> float | None:
    return 0.5 if entry.target == f"{_ENGINE}.aux_dice.DiceOutputs" else None
