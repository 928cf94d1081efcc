"""JSON files of a folder that may come from a stranger: read as data, whatever they hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["mapping", "number", "numbers", "read_json", "records", "text", "texts", "whole"]

_MOST_BYTES = 64 * 2**20
_LONGEST = 300
_LARGEST, _SMALLEST = 1e30, 1e-30
"""What a measurement can be; figures cannot be drawn of numbers at the ends of what a computer has."""
_MOST = 10**12


def read_json(path: Path, remarks: list[str]) -> dict[str, Any]:
    """Return the object of a JSON file; an empty one where there is none to read.

    Args:
        path: the file; one that is missing is no remark.
        remarks: a sentence is added about a file that is there and cannot be read.
    """
    try:
        if not path.exists():
            return {}
        if not path.is_file():  # a pipe would never end
            remarks.append(f"{path.name} is no file and was not read.")
            return {}
        if path.stat().st_size > _MOST_BYTES:
            remarks.append(f"{path.name} is larger than {_MOST_BYTES >> 20} MB and was not read.")
            return {}
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON that can be read"
        remarks.append(f"{path.name} is damaged and left out: {reason}.")
        return {}
    if not isinstance(content, dict):
        remarks.append(f"{path.name} is damaged and left out: expected an object of JSON.")
        return {}
    return content


def number(value: Any) -> float | None:
    """Return a number, a tiny one as 0; None for anything else, and for one beyond all measure."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    if not math.isfinite(found) or abs(found) > _LARGEST:
        return None
    return found if abs(found) >= _SMALLEST else 0.0


def whole(value: Any) -> int | None:
    """Return a whole number that counts something, at least 0; None for anything else."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= _MOST and found == int(found) else None


def text(value: Any) -> str:
    """Return a text, cut where it is very long; an empty one for anything else."""
    if not isinstance(value, str):
        return ""
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def texts(value: Any) -> list[str]:
    """Return the texts of a list that are not empty."""
    return [text(one) for one in value if text(one)] if isinstance(value, list) else []


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def records(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def numbers(value: Any) -> dict[str, float | None]:
    """Return the finite numbers of an object by their names, None where one is undefined."""
    return {text(name): number(one) for name, one in mapping(value).items() if one is None or number(one) is not None}
