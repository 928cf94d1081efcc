"""Size, voxel size, turns and flips."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.transforms_intensity import cast
from clara_compat.translate.native.writing import OTHER_DRAWS, fields, made, sentences, spelled

__all__ = ["BORDERS", "SPATIAL", "interpolation"]

_MODULE = "clara_compat.engine.transforms"

BORDERS = "a label's voxel whose centre falls just between two old ones may take the other of them"
"""Part of a difference: MONAI computes these places in float32."""


def interpolation(mode: Any, context: NativeContext) -> Any:
    """Return the mode of MONAI's resizing for one of ours (or for several)."""
    if isinstance(mode, (list, tuple)):
        return [interpolation(one, context) for one in mode]
    linear = {2: "bilinear", 3: "trilinear"}[context.spatial_dims]
    return linear if mode == "linear" else mode


def _borders(mode: Any) -> str:
    return BORDERS if "nearest" in str(mode) else ""


def _spacing(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """``scale_extent`` gives our sizes; without it most are smaller by the rest of a voxel."""
    modes = ["bilinear" if mode == "linear" else "nearest" for mode in fields(entry["mode"])]
    mode = modes[0] if isinstance(entry["mode"], str) else modes
    resample = {"scale_extent": True, "align_corners": True, "padding_mode": "border"}
    difference = (
        "the voxels get exactly the size asked for, where Clara's keep the extent of the scan and are as close to it "
        "as whole numbers of voxels allow: same number of voxels (but one more or less where that falls just between "
        "two), values of places up to half a voxel away; the size is the affine's, not the header's"
    )
    return Native([made("Spacingd", keys=entry["keys"], pixdim=entry["pixdim"], mode=mode, **resample)], difference)


def _size(entry: Mapping[str, Any], context: NativeContext) -> Native:
    mode = interpolation(entry["mode"], context)
    resized = made("Resized", keys=entry["keys"], spatial_size=entry["spatial_size"], mode=mode)
    return Native([resized], _borders(mode))


def _factor(entry: Mapping[str, Any], context: NativeContext) -> Native:
    mode = interpolation(entry["mode"], context)
    zoomed = made("Zoomd", keys=entry["keys"], zoom=entry["factor"], mode=mode, keep_size=False)
    size = "the new size is rounded down, where it was rounded to the nearest whole number: at most one voxel smaller"
    return Native([zoomed], sentences(size, _borders(mode)))


def _original_size(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """MONAI's images remember what was done to them, with the size before it; a turn to RAS belongs to the loading."""
    source, mode = spelled(entry["source_key"]), interpolation(entry["mode"], context)
    done = f"item[{source}].applied_operations"
    size = f"next((one['orig_size'] for one in {done} if one['class'] != 'Orientation'), item[{source}].shape[1:])"
    resized = [
        f"{spelled(key)}: monai.transforms.Resize({size}, mode={one!r})(item[{spelled(key)}])"
        for key, one in zip(fields(entry["keys"]), _per_key(mode, entry["keys"]), strict=True)
    ]
    lambd = made("Lambda", func="$lambda item: {**item, " + ", ".join(resized) + "}")
    return Native([lambd], _borders(mode))


def _per_key(value: Any, keys: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value] * len(fields(keys))


def _rotation(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """MONAI's angle is in radians and turns the other way."""
    turn = made("Rotated", keys=entry["keys"], angle=-math.radians(entry["degrees"]), **_turned(entry))
    return Native([turn, *cast(entry["keys"], entry["dtype"])], _borders(entry["mode"]))


def _random_rotation(entry: Mapping[str, Any], _: NativeContext) -> Native:
    limit = math.radians(abs(entry["degrees"]))
    turn = made("RandRotated", keys=entry["keys"], range_x=limit, prob=1.0, **_turned(entry))
    return Native([turn, *cast(entry["keys"], entry["dtype"])], sentences(OTHER_DRAWS, _borders(entry["mode"])))


def _turned(entry: Mapping[str, Any]) -> dict[str, Any]:
    dtype = "$np.float64"
    return {"mode": entry["mode"], "padding_mode": "zeros", "align_corners": True, "keep_size": True, "dtype": dtype}


def _flip(entry: Mapping[str, Any], context: NativeContext) -> Native:
    axes = range(context.spatial_dims)
    flips = [made("RandFlipd", keys=entry["keys"], prob=entry["prob"], spatial_axis=axis) for axis in axes]
    return Native(flips, OTHER_DRAWS)


SPATIAL = {
    f"{_MODULE}.resize_to_spacing.ResizeToSpacingd": _spacing,
    f"{_MODULE}.resize.ResizeToShaped": _size,
    f"{_MODULE}.resize.ResizeByFactord": _factor,
    f"{_MODULE}.resize.ResizeToOriginalShaped": _original_size,
    f"{_MODULE}.rotate_2d.Rotate2Dd": _rotation,
    f"{_MODULE}.rotate_2d.RandRotate2Dd": _random_rotation,
    f"{_MODULE}.spatial_flip.RandSpatialFlipd": _flip,
}
"""What each transform of sizes and directions becomes, by its target."""
