"""From what a probability was made.

Keras looks at the operation that made the predictions given to a cross-entropy: of a softmax or sigmoid it takes the
logits, which keeps gradients where a clipped probability has none.
"""

from __future__ import annotations

import torch
from torch.utils.weak import WeakIdKeyDictionary

__all__ = ["logits_of", "remember"]

_KEPT = 8
"""Of how many probabilities the logits are remembered: those of a model's outputs are among its last."""

_made = WeakIdKeyDictionary()
"""Probabilities with what they were made by and from; one that dies leaves, and its logits with it."""


def remember(kind: str, probabilities: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Return probabilities, and remember from which logits they were made for as long as they live.

    Args:
        kind: ``softmax`` (over the last axis) or ``sigmoid``.
        probabilities: what was made.
        logits: from what.
    """
    _made[probabilities] = kind, logits
    if len(_made) > _KEPT:
        del _made[next(iter(_made))]
    return probabilities


def logits_of(kind: str, probabilities: torch.Tensor) -> torch.Tensor | None:
    """Return the logits from which probabilities were made, or None.

    Args:
        kind: ``softmax`` or ``sigmoid``.
        probabilities: the tensor that was made, or a view of all of it in the same order.
    """
    found = _made.get(probabilities)
    base = probabilities._base  # noqa: SLF001 -- what a view shows
    if found is None and base is not None and base.shape == probabilities.shape:
        found = _made.get(base) if base.stride() == probabilities.stride() else None
    return found[1] if found is not None and found[0] == kind else None
