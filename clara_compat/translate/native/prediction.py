"""The field of the prediction in an evaluation: Clara's ``model`` is MONAI's ``pred``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from clara_compat.translate.native.native_config import entries_of

__all__ = ["PRED", "mentions", "renamed"]

MODEL, PRED = "model", "pred"

_FIELDS = ("key", "keys", "source_key", "image_key", "label_key", "output_keys", "points_key", "image_keys", "mask_key")
"""Arguments of transforms and writers that name fields."""


def renamed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a transform or writer of an evaluation, its fields by MONAI's names; files keep theirs."""
    found = {name: _renamed(value) if name in _FIELDS else value for name, value in entry.items()}
    if "keys" in entry and "output_dir" in entry and found["keys"] != entry["keys"]:
        found.setdefault("names", entry["keys"])
    return found


def mentions(entry: Any, fields: Collection[str]) -> bool:
    """Whether a transform names one of some fields in any of its arguments."""
    values = [value for one in entries_of(entry) for value in one.values()]
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    return any(isinstance(text, str) and text in fields for text in texts)


def _renamed(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_renamed(one) for one in value]
    return PRED if value == MODEL else value
