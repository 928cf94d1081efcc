"""Intensities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.writing import OTHER_DRAWS, fields, made, sentences

__all__ = ["INTENSITY", "cast"]

_MODULE = "clara_compat.engine.transforms"


def cast(keys: Any, dtype: Any) -> list[dict[str, Any]]:
    """Return what gives images another type than MONAI's usual float32; nothing where it is that."""
    return [] if dtype == "float32" else [made("CastToTyped", keys=keys, dtype=f"$np.{dtype}")]


def _type(dtype: Any) -> str | None:
    return None if dtype == "float32" else f"$np.{dtype}"


def _range(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """MONAI limits to ``b_min..b_max`` in this order, so a falling scale is written the other way round."""
    ends = [(entry["a_min"], entry["b_min"]), (entry["a_max"], entry["b_max"])]
    (a_min, b_min), (a_max, b_max) = sorted(ends, key=lambda end: end[1]) if entry["clip"] else ends
    scale = {"a_min": a_min, "a_max": a_max, "b_min": b_min, "b_max": b_max, "clip": entry["clip"]}
    return Native([made("ScaleIntensityRanged", keys=entry["keys"], **scale, dtype=_type(entry["dtype"]))])


def _nonzero(entry: Mapping[str, Any], _: NativeContext) -> Native:
    keys, dtype = entry["keys"], _type(entry["dtype"])
    return Native([made("NormalizeIntensityd", keys=keys, nonzero=True, channel_wise=True, dtype=dtype)])


def _constant(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """One entry per field: a single one would add the same constant to all of them."""
    shift = {"offsets": entry["magnitude"], "prob": entry.get("prob", 1.0)}
    shifts = [made("RandShiftIntensityd", keys=[key], **shift) for key in fields(entry["keys"])]
    first = made("CastToTyped", keys=entry["keys"], dtype=f"$np.{entry['dtype']}")
    rounded = "" if "float" in str(entry["dtype"]) else "decimals of the sum are cut off and it may wrap around"
    return Native([first, *shifts], sentences(OTHER_DRAWS, rounded))


def _scale_and_shift(entry: Mapping[str, Any], _: NativeContext) -> Native:
    prob = entry.get("prob", 1.0)
    entries = []
    for key in fields(entry["keys"]):
        entries += [
            made("RandScaleIntensityd", keys=[key], factors=entry["scale"], prob=prob, channel_wise=True),
            made("RandStdShiftIntensityd", keys=[key], factors=entry["shift"], prob=prob, channel_wise=True),
        ]
    apart = "" if prob == 1 else "scale and shift, and each field, are decided on by themselves"
    shared = "all channels of an image are shifted by one number of standard deviations, instead of each by its own"
    return Native(entries, sentences(shared, apart, "the random numbers are others"))


def _mask(entry: Mapping[str, Any], _: NativeContext) -> Native:
    masked = made("MaskIntensityd", keys=entry["keys"], mask_key=entry["mask_key"])
    return Native([masked], "infinite values and NaN outside the mask become NaN instead of 0")


INTENSITY = {
    f"{_MODULE}.scale_intensity_range.ScaleIntensityRanged": _range,
    f"{_MODULE}.normalize_nonzero.NormalizeNonzeroIntensityd": _nonzero,
    f"{_MODULE}.add_constant.RandAddConstantd": _constant,
    f"{_MODULE}.scale_shift_intensity.RandScaleShiftIntensityd": _scale_and_shift,
    f"{_MODULE}.mask_image.MaskImaged": _mask,
}
"""What each transform of intensities becomes, by its target."""
