"""Inferers: MONAI's own, without what is wrapped around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.native_config import Notes, target_of

__all__ = ["AUTOCAST", "MASKS", "native_inferer"]

AUTOCAST = "clara_compat.engine.inferers.AutocastInferer"
MASKS = "clara_compat.engine.mask_inferer.MaskInferer"

_HALF = (
    "MONAI's amp computes in float16 on a GPU, where it was bfloat16, and in float32 on a CPU, without a word about it."
)


def native_inferer(entry: Mapping[str, Any], place: str, notes: Notes) -> tuple[dict[str, Any], bool]:
    """Return the inferer, and whether the engine computes in mixed precision."""
    amp = False
    while target_of(entry) in (AUTOCAST, MASKS):
        inner = entry["inferer"]
        amp = amp or target_of(entry) == AUTOCAST
        notes.add(place, entry, inner, _HALF if target_of(entry) == AUTOCAST else "")
        entry = inner
    return dict(entry), amp
