"""What to write with torch or MONAI in place of TensorFlow's symbols, for those who port their code.

The table is ``equivalents.json`` beside this file: names below ``tensorflow``, what takes their place, what to mind. A
name that ends in ``.*`` stands for everything below it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["equivalent", "equivalents"]


@cache
def equivalents() -> Mapping[str, str]:
    """Return what takes the place of each symbol, by its full name."""
    found: dict[str, str] = {}
    for entry in json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8")):
        text = entry["torch"] + (f" ({entry['note']})" if "note" in entry else "")
        found.update({f"tensorflow.{name}": text for name in entry["tensorflow"]})
    return found


def equivalent(name: str) -> str:
    """Return what takes the place of a symbol, by its canonical name; an empty text when the table does not know it."""
    found = equivalents()
    if name in found:
        return found[name]
    while name := name.rpartition(".")[0]:
        if f"{name}.*" in found:
            return found[f"{name}.*"]
    return ""
