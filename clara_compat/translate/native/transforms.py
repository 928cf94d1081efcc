"""What a transform becomes where this package must not be needed: stock MONAI transforms, and how they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clara_compat.errors import ClaraError, suggestion
from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.transforms_crops import CROPS
from clara_compat.translate.native.transforms_ends import ENDS, OWN
from clara_compat.translate.native.transforms_intensity import INTENSITY
from clara_compat.translate.native.transforms_labels import LABELS
from clara_compat.translate.native.transforms_loading import LOADERS
from clara_compat.translate.native.transforms_spatial import SPATIAL
from clara_compat.translate.native.transforms_writers import WRITERS
from clara_compat.translate.native.writing import PACKAGE, fields

__all__ = ["TRANSFORMS", "native_chain", "native_transform"]

TRANSFORMS: Mapping[str, Callable[[Mapping[str, Any], NativeContext], Native]] = {
    **LOADERS,
    **INTENSITY,
    **SPATIAL,
    **CROPS,
    **LABELS,
    **WRITERS,
    **ENDS,
}
"""What each transform and writer of this package becomes, by its target."""

_TEXT = "_desc_"


def native_transform(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """Return what stands in the place of a transform or writer; those of MONAI stay as they are.

    Args:
        entry: of the rendered config: ``_target_`` and arguments, which are data, ``$`` expressions or references.
        context: where it stands.

    Raises:
        ClaraError: it has no counterpart.
    """
    target = str(entry["_target_"])
    if not target.startswith(f"{PACKAGE}."):
        return Native([dict(entry)])
    if target not in TRANSFORMS:
        raise ClaraError(f"'{target}' has no counterpart in plain MONAI{suggestion(target, TRANSFORMS)}")
    native = TRANSFORMS[target](entry, context)
    if _TEXT in entry and native.entries:
        native.entries[0][_TEXT] = entry[_TEXT]
    return native


def native_chain(
    entries: Sequence[Mapping[str, Any]], context: NativeContext, images: Sequence[str] = ("image",)
) -> list[Native]:
    """Return what each transform of a chain becomes.

    A transform of the user's own is taken to be a loader when something must be an image at the end that nothing else
    loads or makes.

    Args:
        entries: the transforms.
        context: where the chain stands; its ``unloaded`` is found out here.
        images: fields that must be images at the end.

    Raises:
        ClaraError: a transform has no counterpart.
    """
    known = {key for entry in entries for key in _gives(entry)}
    unloaded = [key for key in images if key not in known]
    found = []
    for entry in entries:
        native = native_transform(entry, replace(context, unloaded=tuple(unloaded)))
        if entry["_target_"] == OWN:
            unloaded = [key for key in unloaded if not any(key in one["keys"] for one in native.entries)]
        found.append(native)
    return found


def _gives(entry: Mapping[str, Any]) -> list[str]:
    """Return the fields that a transform loads or makes."""
    loads = entry["_target_"] in LOADERS or entry["_target_"] == "LoadImaged"
    made = [entry[name] for name in ("output_keys", "points_key") if entry.get(name) is not None]
    return [key for value in [*made, *([entry["keys"]] if loads else [])] for key in fields(value)]
