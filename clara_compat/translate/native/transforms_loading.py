"""Loaders: what becomes ``LoadImaged``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.writing import made, spelled

__all__ = ["LOADERS", "load_files"]

_MODULE = "clara_compat.engine.transforms"
_GREY = ("1", "LA")
"""Modes of Pillow that are turned into grey of 8 bits."""


def load_files(keys: Any, dtype: Any = "float32", **reader: Any) -> dict[str, Any]:
    """Return the entry that loads files channel-first; the type is left out where it is the loader's own."""
    kind = None if dtype == "float32" else f"$np.{dtype}"
    return made("LoadImaged", keys=keys, **{"ensure_channel_first": True, "dtype": kind, **reader})


def _scan(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """``LoadImaged`` chooses by the file's ending as we do: nibabel, and ITK for MetaImage, NRRD and DICOM.

    Where the channels are the first axis, files of three axes (a label beside an image of four) get one in front:
    MONAI's readers would take the first of the three.
    """
    keys = entry["keys"]
    if entry["nii_is_channels_first"]:
        reader = {"reader": "NibabelReader", "channel_dim": 0, "ensure_channel_first": False}
        axes = 1 + context.spatial_dims
        func = f"$lambda image: image if image.ndim == {axes} else image[None]"
        entries = [load_files(keys, entry["dtype"], **reader), made("Lambdad", keys=keys, func=func)]
    else:
        entries = [load_files(keys, entry["dtype"])]
    if entry["as_closest_canonical"]:
        entries.append({**made("Orientationd", keys=keys, axcodes="RAS"[: context.spatial_dims]), "labels": None})
    return Native(entries)


def _numpy(entry: Mapping[str, Any], _: NativeContext) -> Native:
    layout = str(entry["shape_format"])
    channel = {"C": 0}.get(layout[0], -1 if layout[-1] == "C" else None)
    return Native([load_files(entry["keys"], entry["dtype"], reader="NumpyReader", channel_dim=channel)])


def _picture(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """Rows stay rows; Pillow by itself would keep an alpha channel, and give the indices of a palette."""
    kept = ["L", "I", "I;16", "RGB", *(["P"] if entry["palette_indices"] else [])]
    converted = f"image.convert('L' if image.mode in {_GREY} else 'RGB')"
    load = load_files(
        entry["keys"],
        entry["dtype"],
        reader="PILReader",
        reverse_indexing=False,
        converter=f"$lambda image: image if image.mode in {spelled(kept)} else {converted}",
    )
    difference = (
        "the EXIF orientation of a JPEG file is not obeyed, and of 16 bits per colour 8 are read; grey files of 16 "
        "bits stay as they are"
    )
    return Native([load], difference)


LOADERS = {
    f"{_MODULE}.load_nifti.LoadNiftid": _scan,
    f"{_MODULE}.load_numpy.LoadNumpyd": _numpy,
    f"{_MODULE}.load_picture.LoadPictured": _picture,
}
"""What each loader becomes, by its target."""
