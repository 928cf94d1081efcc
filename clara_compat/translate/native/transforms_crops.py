"""Crops and the warps that come with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.transforms_spatial import BORDERS, interpolation
from clara_compat.translate.native.writing import OTHER_DRAWS, fields, made, sentences

__all__ = ["CROPS"]

_MODULE = "clara_compat.engine.transforms"
_CONTROL_POINTS = 20.0
"""Voxels between the control points of a plane's displacement: about as smooth as ours."""
_UNIFORM_NOISE = (1 / 3, 2 * math.sqrt(math.pi))
"""Variance of noise between -1 and 1, and by how much a Gaussian of width 1 lowers the deviation of noise per axis."""


def _centre(entry: Mapping[str, Any], _: NativeContext) -> Native:
    return Native([made("ResizeWithPadOrCropd", keys=entry["keys"], spatial_size=entry["spatial_size"])])


def _anywhere(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """Padding comes first: ``RandSpatialCropd`` gives a smaller box where the image is smaller."""
    keys, size = entry["keys"], entry["spatial_size"]
    padded = made("SpatialPadd", keys=keys, spatial_size=size)
    return Native([padded, made("RandSpatialCropd", keys=keys, roi_size=size, random_size=False)], OTHER_DRAWS)


def _random_size(entry: Mapping[str, Any], _: NativeContext) -> Native:
    limit = entry.get("max_displacement")
    still = limit is not None and not any(limit if isinstance(limit, (list, tuple)) else [limit])
    crop = made(
        "RandSpatialCropd",
        keys=entry["keys"],
        roi_size=entry["lower_size"],
        random_center=not still,
        random_size=True,
    )
    if limit is None or still:
        return Native([crop], OTHER_DRAWS)
    far = f"max_displacement {limit} is not kept: the crop lies anywhere in the image, instead of near its centre"
    return Native([crop], sentences(far, "the random numbers are others"))


def _foreground(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """A label without foreground marks everything, or the box would have no voxels."""
    label = entry["label_key"]
    keys = list(dict.fromkeys([*fields(entry["keys"]), label]))
    modes = [interpolation("nearest-exact" if key == label else "linear", context) for key in keys]
    crop = made(
        "CropForegroundd",
        keys=keys,
        source_key=label,
        select_fn="$lambda label: label > 0 if (label > 0).any() else label == label",
        margin=entry["margin"],
        allow_smaller=True,
    )
    crop |= {"start_coord_key": None, "end_coord_key": None}
    resized = made("Resized", keys=keys, spatial_size=entry["spatial_size"], mode=modes)
    one_hot = "the first channel of a one-hot label counts as foreground like the others, so nothing is cropped then"
    return Native([crop, resized], sentences(one_hot, BORDERS))


def _pos_neg(entry: Mapping[str, Any], context: NativeContext) -> Native:
    label = entry["label_key"]
    keys = list(dict.fromkeys([*fields(entry["image_keys"]), label]))
    crop = made(
        "RandCropByPosNegLabeld",
        keys=keys,
        label_key=label,
        spatial_size=entry["spatial_size"],
        pos=entry["pos"],
        neg=entry["neg"],
        num_samples=entry.get("num_samples") or 1,
    )
    channels = "the first channel of a label with several is background, whether it is one-hot or not"
    single = "" if entry.get("num_samples") else "a list of one crop, which the loader lays flat, instead of a crop"
    warp, differs = _warp(entry, keys, label, context)
    return Native([crop, *warp], sentences(OTHER_DRAWS if not warp else differs, channels, single))


def _warp(
    entry: Mapping[str, Any], keys: list[str], label: str, context: NativeContext
) -> tuple[list[dict[str, Any]], str]:
    """Return what turns, scales and displaces a crop, and how that differs."""
    degrees, scale = entry.get("rotate_degrees") or 0.0, entry.get("scale_factor") or 0.0
    if not (degrees or scale or entry.get("deform")):
        return [], ""
    rank = context.spatial_dims
    arguments = {
        "keys": keys,
        "prob": 1.0,
        "rotate_range": [math.radians(degrees)] * (1 if rank == 2 else 3) if degrees else None,
        "scale_range": [scale] * rank if scale else None,
        "mode": ["nearest" if key == label else "bilinear" for key in keys],
        "padding_mode": "border",
    }
    differs = [
        "the crop is turned and scaled after it is cut out, so its border continues where its surroundings would enter"
    ]
    if scale:
        differs.append("each axis has its own factor")
    if not entry.get("deform"):
        return [made("RandAffined", **arguments)], sentences(*differs, "the random numbers are others")
    sigma, magnitude = entry.get("deform_sigma", (10.0, 13.0)), entry.get("deform_magnitude", (0.0, 2.3))
    if rank == 2:
        elastic = made("Rand2DElasticd", spacing=_CONTROL_POINTS, magnitude_range=list(magnitude), **arguments)
        differs.append("the displacement is interpolated between points 20 voxels apart")
    else:
        elastic = made(
            "Rand3DElasticd",
            sigma_range=list(sigma),
            magnitude_range=[_before_smoothing(one, sum(sigma) / 2) for one in magnitude],
            **arguments,
        )
        differs.append("the displacement becomes smaller towards the border of the crop")
    return [elastic], sentences(*differs, "the random numbers are others")


def _before_smoothing(deviation: float, sigma: float) -> float:
    """Return the size of uniform noise that has this standard deviation after a Gaussian of ``sigma`` in 3-D."""
    variance, width = _UNIFORM_NOISE
    return round(deviation * (width * sigma) ** 1.5 / math.sqrt(variance), 1)


CROPS = {
    f"{_MODULE}.crop_fixed_size.CenterCropOrPadd": _centre,
    f"{_MODULE}.crop_fixed_size.RandCropOrPadd": _anywhere,
    f"{_MODULE}.crop_random_size.RandCropDisplacedd": _random_size,
    f"{_MODULE}.crop_foreground_resized.CropForegroundResized": _foreground,
    f"{_MODULE}.crop_pos_neg_roi.RandCropPosNegROId": _pos_neg,
}
"""What each crop becomes, by its target."""
