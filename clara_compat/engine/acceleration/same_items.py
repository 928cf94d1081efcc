"""Whether two devices made the same item."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.engine.data.failure import ItemFailure

__all__ = ["difference"]

_VALUE = 1e-3
"""By how much a value may differ, as a share of the largest of its field."""
_SHARE = 1e-3
"""Of the values of a field that may differ by more: at the edges of what is cut or interpolated."""


def difference(exact: Any, other: Any) -> str:
    """Return how an item differs from the exact one, for a message; empty when it is the same up to rounding.

    Args:
        exact: fields, or a list of such items.
        other: made on another device.
    """
    if isinstance(other, ItemFailure):
        return other.reason
    if isinstance(exact, list):
        if len(exact) != len(other):
            return f"{len(other)} crops were made instead of {len(exact)}"
        return next(filter(None, map(difference, exact, other)), "")
    if exact.keys() != other.keys():
        return f"its fields are {', '.join(other)}, not {', '.join(exact)}"
    for field, value in exact.items():
        if isinstance(value, torch.Tensor) and (found := _difference(value, other[field])):
            return f"'{field}' {found}"
    return ""


def _difference(exact: torch.Tensor, other: torch.Tensor) -> str:
    if exact.shape != other.shape or exact.dtype != other.dtype:
        kinds = (f"{one.dtype} of shape {tuple(one.shape)}" for one in (other, exact))
        return " instead of ".join(kinds)
    if not exact.numel():
        return ""
    one, two = (value.detach().cpu().double() for value in (exact, other))
    limit = _VALUE * float(one.abs().nan_to_num().max())
    apart = ~torch.isclose(one, two, rtol=0.0, atol=limit, equal_nan=True)
    share = float(apart.double().mean())
    return f"differs in {share:.1%} of its values" if share > _SHARE else ""
