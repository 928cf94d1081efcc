"""Crops and the warps that come with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.transforms_spatial import BORDERS, interpolation
from clara_compat.translate.native.writing import OTHER_DRAWS, fields, made, sentences

__all__ = ["CROPS"]

_MODULE = "clara_compat.engine.transforms"
_APART = 20
"""Voxels between the points of a displacement, which is then about as smooth as ours."""
_BETWEEN = math.sqrt(2 / 3)
"""How linear interpolation between independent random numbers lowers their deviation, on average, per axis."""


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
        "the crop is warped after it is cut out, so its border continues where its surroundings would enter",
        "each axis is scaled by a factor of its own" if scale else "",
        "the random numbers are others",
    ]
    if not entry.get("deform"):
        return [made("RandAffined", **arguments)], sentences(*differs)
    magnitude = [float(one) for one in entry.get("deform_magnitude", (0.0, 2.3))]
    if rank == 2:
        differs.append(f"the displacement is interpolated between points {_APART} voxels apart")
        elastic = made("Rand2DElasticd", spacing=float(_APART), magnitude_range=magnitude, **arguments)
        return [elastic], sentences(*differs)
    differs.append(
        f"the displacement is interpolated between points about {_APART} voxels apart, always as strong as the "
        "exact one is on average, and in proportion to the crop's axes; labels are sampled once more for it"
    )
    affine = [made("RandAffined", **arguments)] if degrees or scale else []
    return [*affine, _smooth(entry["spatial_size"], magnitude, keys, arguments["mode"])], sentences(*differs)


def _smooth(size: Sequence[int], magnitude: Sequence[float], keys: list[str], mode: Any) -> dict[str, Any]:
    """Return a displacement of volumes; ``Rand3DElasticd`` of this smoothness takes twenty times as long."""
    low, high = magnitude
    deviation = math.sqrt((low**2 + low * high + high**2) / 3)  # of a Gaussian whose own one is uniform
    largest = deviation * math.sqrt(3) / _BETWEEN ** len(size)  # of uniform numbers at the points, in voxels
    return made(
        "RandSmoothDeformd",
        keys=keys,
        spatial_size=list(size),
        rand_size=[max(2, round(n / _APART) + 1) for n in size],
        field_mode="trilinear",
        align_corners=True,
        prob=1.0,
        def_range=round(2 * largest * len(size) / sum(size), 5),
        grid_mode=mode,
        grid_padding_mode="border",
        grid_align_corners=True,
    )


CROPS = {
    f"{_MODULE}.crop_fixed_size.CenterCropOrPadd": _centre,
    f"{_MODULE}.crop_fixed_size.RandCropOrPadd": _anywhere,
    f"{_MODULE}.crop_random_size.RandCropDisplacedd": _random_size,
    f"{_MODULE}.crop_foreground_resized.CropForegroundResized": _foreground,
    f"{_MODULE}.crop_pos_neg_roi.RandCropPosNegROId": _pos_neg,
}
"""What each crop becomes, by its target."""
