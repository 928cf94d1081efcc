"""What a loss becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["LossForm"]


@dataclass(frozen=True)
class LossForm:
    """A loss on logits.

    Args:
        value: the entry ``loss``, or an expression.
        difference: how its values differ from those of the exact loss; empty where they do not.
        more: further entries of the config that it refers to, by their names.
    """

    value: dict[str, Any] | str
    difference: str = ""
    more: dict[str, Any] = field(default_factory=dict)
