"""Names of Clara 1 and 2 (and spellings seen beside them) that a later name replaced.

Sources: Clara 3.1 page "mapping of old to new"; clara-3.1-transforms facts, section 6. What is not on that page is
assumed, and the notice that goes with every translation says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["DONE_BY_LOADER", "RENAMED", "Renamed", "renamed_arguments"]

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Renamed:
    """What an old name became.

    Args:
        name: the component of the catalogue.
        arguments: new names of its arguments.
        dropped: arguments that mean nothing any more.
        convert: what else happens to the arguments.
        documented: whether the mapping is Clara's own.
    """

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    convert: Callable[[Arguments], Arguments] | None = None
    documented: bool = False


def _image_and_label(args: Arguments) -> Arguments:
    """``fields: [image, label]`` became two arguments."""
    fields = args.pop("fields", None)
    if isinstance(fields, (list, tuple)) and len(fields) == 2:
        args.setdefault("image_field", fields[0])
        args.setdefault("label_field", fields[1])
    elif fields is not None:
        args["fields"] = fields  # refused with the catalogue's words
    return args


def _fields_and_label(args: Arguments) -> Arguments:
    """``image_field`` became ``fields``; a label among the fields is cropped in any case."""
    if "image_field" in args:
        args.setdefault("fields", args.pop("image_field"))
    fields, label = args.get("fields"), args.get("label_field")
    if isinstance(fields, (list, tuple)) and label is None and len(fields) == 2:
        args["fields"], args["label_field"] = [fields[0]], fields[1]
    elif isinstance(fields, (list, tuple)) and label in fields and len(fields) > 1:
        args["fields"] = [name for name in fields if name != label]
    return args


def _restored(args: Arguments) -> Arguments:
    """The shape came from a file's array; now it comes from the image it was read with."""
    fields = args.pop("fields", None)
    if fields is not None:
        args.setdefault("field", fields[0] if isinstance(fields, (list, tuple)) and len(fields) == 1 else fields)
    args.setdefault("src_field", "image")
    return args


_PAIR = Renamed("FastPosNegRatioCropROI", convert=_image_and_label, documented=True)

RENAMED: Mapping[str, Renamed] = {
    "LoadNifty": Renamed("LoadNifti", documented=True),
    "VolumeTo4DArray": Renamed("ConvertToChannelsFirst", documented=True),
    "TransformVolumeCropROIFastPosNegRatio": _PAIR,
    "CropSubVolumeBatchPosNegRatio": Renamed(
        "FastCropByPosNegRatio", dropped=("fast_crop",), convert=_fields_and_label
    ),
    "ResampleVolume": Renamed(
        "ScaleByResolution",
        {"resolution": "target_resolution", "output_resolution": "target_resolution", "nearest": "is_label"},
        dropped=("resolution_key",),
    ),
    "NPResize3D": Renamed("RestoreOriginalShape", {"nearest": "is_label"}, ("output_shape_key",), _restored),
    "NPRandomFlip3D": Renamed("RandomAxisFlip"),
    "FlipAxisRandom": Renamed("RandomAxisFlip"),
    "NPRandomRot90_XY": Renamed("RandomRotate3D"),
    "AugmentIntensityRandomScaleShift": Renamed("ScaleShiftIntensity"),
    "CropSubVolumeRandomWithinBounds": Renamed("CropFixedSizeRandomCenter", {"crop_size": "size"}),
    "ReduceLRPoly": Renamed("ReducePoly", {"power": "poly_power"}),
    "NiftyWriter": Renamed("WriteNifti"),
    "MetricAverage": Renamed("ComputeAverage", {"stopping_metric": "is_key_metric"}),
}
"""Old names by what they became."""

DONE_BY_LOADER: Mapping[str, str] = {
    "LoadResolutionFromNifty": "the voxel size",
    "Load3DShapeFromNumpy": "the original shape",
}
"""Old transforms that are left out, with what they read: the loader keeps it with the image."""

_FIELD_NAMES = ("applied_key", "applied_keys")
_LISTS = {"channel_names": "label_names"}


def renamed_arguments(name: str, args: Mapping[str, Any], takes: frozenset[str]) -> tuple[Arguments, list[str]]:
    """Return the arguments of a component under their later names, and the old names that were found.

    Args:
        name: the name in the config, old or new.
        args: its arguments.
        takes: what the component's constructor takes.
    """
    entry = RENAMED.get(name, Renamed(name))
    found: list[str] = []
    new: Arguments = {}
    for key, value in args.items():
        target = entry.arguments.get(key, key)
        if key in _FIELD_NAMES and key not in takes:
            target = next((one for one in ("fields", "field") if one in takes or entry.convert), key)
        elif key in _LISTS and key not in takes and _LISTS[key] in takes:
            target = _LISTS[key]
        if key in entry.dropped or target != key:
            found.append(key)
        if key not in entry.dropped:
            new[target] = value
    if "field" in takes and "fields" not in takes and isinstance(new.get("field"), list) and len(new["field"]) == 1:
        new["field"] = new["field"][0]
    return (entry.convert(new) if entry.convert else new), found
