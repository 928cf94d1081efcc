"""What to write with torch or MONAI in place of TensorFlow's symbols, for those who port their code.

The table is ``equivalents.json`` beside this file: names below ``tensorflow``, what takes their place, what to mind. A
name that ends in ``.*`` stands for everything below it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Equivalent", "equivalent", "equivalents"]


@dataclass(frozen=True)
class Equivalent:
    """What takes the place of a symbol.

    Args:
        text: an expression with torch or MONAI, or a few words where there is none.
        mind: what to mind, or empty.
    """

    text: str = ""
    mind: str = ""


@cache
def equivalents() -> Mapping[str, Equivalent]:
    """Return what takes the place of each symbol, by its full name."""
    found: dict[str, Equivalent] = {}
    for entry in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")):
        instead = Equivalent(entry["torch"], entry.get("note", ""))
        found.update({f"tensorflow.{name}": instead for name in entry["tensorflow"]})
    return found


def equivalent(name: str) -> Equivalent:
    """Return what takes the place of a symbol, by its canonical name; an empty one when the table does not know it."""
    found = equivalents()
    if name in found:
        return found[name]
    while name := name.rpartition(".")[0]:
        if f"{name}.*" in found:
            return found[f"{name}.*"]
    return Equivalent()
