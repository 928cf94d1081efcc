"""The two ends of a chain: a user's own loader at its beginning, the fields of a batch at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.native_config import users_path
from clara_compat.translate.native.transforms_loading import load_files
from clara_compat.translate.native.writing import fields, made

__all__ = ["ENDS", "OWN"]

OWN = "clara_compat.engine.legacy.transform.legacy_transform"
"""What runs a transform of the user's own."""

_PORT = "port it to a MONAI MapTransform (clara-compat lint says how)"
_FIELDS = ("fields", "field", "image_field", "label_field")
"""Arguments by which Clara's transforms name the fields they work on."""


def _own(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """A user's code cannot come along; where it loads what nothing else loads, MONAI's loader takes its place."""
    name, arguments = users_path(entry["transform"]) or ("a transform", {})
    named = [field for argument in _FIELDS if argument in arguments for field in fields(arguments[argument])]
    loaded = [key for key in context.unloaded if not named or key in named]
    if not loaded:
        return Native([], f"'{name}' is your own and is left out: {_PORT} and put it in its place")
    difference = (
        f"'{name}' is your own; as nothing else loads {' and '.join(loaded)}, LoadImaged stands in its place, "
        f"which reads files as they are: whatever else '{name}' does is missing, {_PORT}"
    )
    return Native([load_files(loaded, channel_dim=_channel_axis(arguments.get("shape")))], difference)


def _channel_axis(layout: Any) -> int | None:
    """Return the channel axis of a loader's argument ``shape`` such as ``DHWC``."""
    if not isinstance(layout, str) or not set(layout) <= set("CDHW") or "C" not in layout:
        return None
    return 0 if layout[0] == "C" else -1


def _batch(entry: Mapping[str, Any], _: NativeContext) -> Native:
    track, carried = entry["track_meta"], list(entry.get("carried", ()))
    extra = entry.get("extra_inputs", ())
    images = ["image"] if entry.get("labels") is not None else ["image", "label"]
    entries = [
        made("CopyItemsd", keys=[one["data_key"]], names=[one["name"]])
        for one in extra
        if one["data_key"] != one["name"]
    ]
    kept = list(dict.fromkeys(["image", "label", *(one["name"] for one in extra)]))
    missing = [key for key in carried if key not in kept]
    optional = True if missing else None
    entries.append(made("SelectItemsd", keys=[*kept, *missing], allow_missing_keys=optional))
    entries.append(made("EnsureTyped", keys=images, dtype="$torch.float32", track_meta=track))
    if "label" not in images:
        func = "$lambda label: torch.as_tensor(label, dtype=torch.float32).reshape(-1)"
        entries.append(made("Lambdad", keys=["label"], func=func, track_meta=False))
    if missing:
        carry = {"dtype": "$torch.float32", "track_meta": False, "allow_missing_keys": True}
        entries.append(made("EnsureTyped", keys=missing, **carry))
    entries += [
        made("EnsureTyped", keys=[one["name"]], dtype=f"$torch.{one['dtype']}", track_meta=False) for one in extra
    ]
    return Native(entries, "channels and shapes are not checked against what was declared; labels become float32")


ENDS = {OWN: _own, "clara_compat.engine.transforms.batch_fields.BatchFields": _batch}
"""What stands in the place of a user's own transform, and of the end of a chain."""
