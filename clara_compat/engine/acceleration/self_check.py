"""Whether a training step with levers computes what one without them does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

__all__ = ["FLOOR", "LEAST_COSINE", "MOST_LENGTH", "MOST_LOSS", "MOST_NOISE", "Agreement", "agreement"]

MOST_LOSS = 0.02
"""By how much the loss of a batch may differ, as a share of it (and of at least 0.1)."""
LEAST_COSINE = 0.95
"""How well the gradients of each group of parameters must point the same way: the cosine of the angle between them."""
FLOOR = 0.85
"""The same for a network whose gradients in float32 turn as far when its images and weights are rounded to bfloat16: no
data are that exact, so that such an angle says nothing of the arithmetic."""
MOST_NOISE = 1.5
"""By how much what is across the exact gradient may be longer than in that case."""
MOST_LENGTH = 0.1
"""By how much the length of the gradient of a group may differ, as a share of it."""


@dataclass(frozen=True)
class Agreement:
    """How well two steps from the same weights on the same batch agree.

    Args:
        loss: difference of the losses, as a share.
        cosine: least cosine between the gradients of a group of parameters.
        length: largest difference of the lengths of such gradients, as a share.
        own: least cosine in float32 when images and weights are rounded to bfloat16; None where that is not known.
    """

    loss: float
    cosine: float
    length: float
    own: float | None = None

    @property
    def least_cosine(self) -> float:
        """How well the gradients must point the same way."""
        if self.own is None or not 0.0 < self.own < 1.0:
            return LEAST_COSINE
        across = MOST_NOISE * math.tan(math.acos(self.own))
        return min(LEAST_COSINE, max(FLOOR, math.cos(math.atan(across))))

    @property
    def only_turned(self) -> bool:
        """Whether nothing but the direction of the gradients is beyond the limits."""
        return math.isfinite(self.cosine) and bool(self.objection) and not replace(self, cosine=1.0).objection

    @property
    def objection(self) -> str:
        """What is beyond the limits, for a message; empty when nothing is."""
        if not all(map(math.isfinite, (self.loss, self.cosine, self.length))):
            return "loss or gradients are no numbers"
        if self.loss > MOST_LOSS:
            return f"the loss differs by {self.loss:.1%}, more than {MOST_LOSS:.0%}"
        if self.cosine < self.least_cosine:
            least = f"{self.cosine:.3f}, below {self.least_cosine:.3g}"
            own = "" if self.own is None else f" (in float32 with rounded images and weights it is {self.own:.3f})"
            return f"the gradients point apart: the cosine between them is {least}{own}"
        if self.length > MOST_LENGTH:
            return f"the lengths of the gradients differ by {self.length:.0%}, more than {MOST_LENGTH:.0%}"
        return ""


def agreement(
    losses: tuple[float, float], groups: tuple[Sequence[Sequence[torch.Tensor]], Sequence[Sequence[torch.Tensor]]]
) -> Agreement:
    """Compare two steps by their losses and by the gradients that their parameters have.

    Args:
        losses: of the exact step and of the other.
        groups: the groups of parameters of both.
    """
    exact, other = losses
    cosine, length = 1.0, 0.0
    for ours, theirs in zip(*groups, strict=True):
        products = torch.zeros(3, dtype=torch.float64)
        for a, b in zip(ours, theirs, strict=True):
            if a.grad is None and b.grad is None:
                continue
            x, y = (torch.zeros_like(p) if p.grad is None else p.grad.detach() for p in (a, b))
            x, y = x.double(), y.double()
            products += torch.stack([(x * y).sum(), (x * x).sum(), (y * y).sum()]).cpu()
        both, first, second = products.tolist()
        if first == second == 0.0:
            continue
        lengths = math.sqrt(first), math.sqrt(second)
        cosine = _least(cosine, both / (lengths[0] * lengths[1]) if all(lengths) else 0.0)
        length = _most(length, abs(lengths[1] - lengths[0]) / lengths[0] if lengths[0] else math.inf)
    return Agreement(abs(other - exact) / max(abs(exact), 0.1), cosine, length)


def _least(one: float, other: float) -> float:
    return other if math.isnan(other) else min(one, other)


def _most(one: float, other: float) -> float:
    return other if math.isnan(other) else max(one, other)
