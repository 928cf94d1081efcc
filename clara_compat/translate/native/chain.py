"""A chain of transforms of a section as one of MONAI's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.native_config import Notes
from clara_compat.translate.native.transforms import native_chain

__all__ = ["label_form", "noted_chain"]


def noted_chain(
    entries: Sequence[Mapping[str, Any]], place: str, notes: Notes, facts: Facts, images: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the transforms in the place of a chain.

    Args:
        entries: of the chain.
        place: id of the chain's list in the config.
        notes: takes what changes.
        facts: of the config.
        images: fields that must be images at the end.

    Raises:
        ClaraError: a transform has no counterpart.
    """
    natives = native_chain(entries, NativeContext(spatial_dims=facts.spatial_dims), images)
    found = []
    for number, (entry, native) in enumerate(zip(entries, natives, strict=True)):
        found += notes.take(f"{place}#{number}", entry, native)
    return found


def label_form(last: Mapping[str, Any], facts: Facts) -> list[dict[str, Any]]:
    """Return what brings the label into the form that the loss takes, for the end of a chain.

    Args:
        last: the exact end of the chain.
        facts: of the config.
    """
    form = ""
    if facts.indices:
        form = "label[0].long()"
    elif last.get("label_channels") == 1 and facts.channels == 1:  # the foreground is every class from 1 upwards
        form = "(label >= 1).float()"
    if not form:
        return []
    return [{"_target_": "Lambdad", "keys": ["label"], "func": f"$lambda label: {form}", "track_meta": False}]
