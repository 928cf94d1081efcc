"""What an entry becomes that must not need this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Difference", "Native"]


@dataclass(frozen=True)
class Native:
    """What stands in the place of an entry, with classes of MONAI and torch only.

    Args:
        entries: in the order they are run; none where the entry is left out.
        difference: how its results differ from those of the entry, in a sentence; empty where they do not.
        imports: statements that its expressions need, such as ``from functools import partial``.
    """

    entries: list[dict[str, Any]]
    difference: str = ""
    imports: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """An entry that became something else.

    Args:
        entry: its id in the config: ``train#preprocessing#transforms#3``.
        was: what it pointed at.
        now: what stands there; empty where it was left out.
        text: how the results differ, in a sentence; empty where they do not.
    """

    entry: str
    was: str
    now: str
    text: str
