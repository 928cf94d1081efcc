"""Writers: what becomes ``SaveImaged``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.writing import fields, made, sentences, spelled

__all__ = ["WRITERS"]

_MODULE = "clara_compat.engine.transforms"
_ROWS_AND_COLUMNS = [0, 2, 1]
_SAME_NAME = "of two cases with the same file name the later one overwrites the earlier one"
_STORED = {"bool": "uint8", "float16": "float32"}
"""What takes the place of types that NIfTI does not have."""
_META = "image_meta_dict"


def _tap(entry: Mapping[str, Any], context: NativeContext) -> Native:
    options = {"separate_folder": False, **_axes(context)}
    saved = [_saved(key, key, entry["output_dir"], **options) for key in fields(entry["keys"])]
    difference = (
        "the files are <case>_<field>.nii.gz, float32, and every later pass overwrites them; where a cache keeps the "
        "item, it is written once"
    )
    waits = "the run does not wait for Enter" if entry.get("interrupt") else ""
    return Native(saved, sentences(difference, waits, _four_axes(context)))


def _nifti(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """``resample`` puts what was turned to RAS back onto the grid of its file; planes are not turned."""
    turned, dtype = bool(entry.get("revert_canonical")), str(entry.get("dtype", "float32"))
    turned = turned and context.spatial_dims == 3
    options = {"resample": turned, "output_dtype": f"$np.{_STORED.get(dtype, dtype)}", **_axes(context)}
    entries = []
    for key, name in zip(fields(entry["keys"]), _names(entry), strict=True):
        if entry.get("use_identity"):
            func = "$lambda image: monai.data.MetaTensor(image, affine=torch.eye(4))"
            entries.append(made("Lambdad", keys=[key], func=func))
        entries.append(_saved(key, name, entry["output_dir"], **options))
    grid = "also a voxel size other than the file's is undone, by the nearest voxel" if turned else ""
    identity = "writers that follow see the identity affine, too" if entry.get("use_identity") else ""
    return Native(entries, sentences(grid, identity, _SAME_NAME, _four_axes(context)))


def _axes(context: NativeContext) -> dict[str, Any]:
    """MONAI 1.6 cannot write a plane whose axes of length 1 are left out, when its image is in colour."""
    return {"squeeze_end_dims": False} if context.spatial_dims == 2 else {}


def _four_axes(context: NativeContext) -> str:
    return "the file of a plane has four axes: x, y, 1, channels" if context.spatial_dims == 2 else ""


def _in_file_grid(entry: Mapping[str, Any], context: NativeContext) -> Native:
    """A plane is written as it lies: of a picture, MONAI's metadata has width and height the other way round."""
    dtype, is_volume = str(entry.get("dtype", "float32")), context.spatial_dims == 3
    options = {"output_dtype": f"$np.{_STORED.get(dtype, dtype)}", **_axes(context)}
    options |= {"resample": True, "padding_mode": "zeros"} if is_volume else {"resample": False}
    keys, imports = list(zip(fields(entry["keys"]), _names(entry), strict=True)), []
    if entry.get("file") is None:
        saved = [_saved(key, name, entry["output_dir"], **options) for key, name in keys]
    else:
        folder, name = _folder_and_name(entry["file"])
        subject = f"$lambda meta, saver: {{'subject': {spelled(name)}}}"
        one = {"separate_folder": False, "output_name_formatter": subject, **options}
        saved = [{**_saved(key, "", folder, **one), **_ending(entry["file"])} for key, _ in keys]
        imports = _imports(folder)
    grid = "" if is_volume else "the grid of the image's file is not restored"
    return Native(saved, sentences(grid, _SAME_NAME, _four_axes(context)), imports)


def _ending(file: str) -> dict[str, str]:
    return {"output_ext": ".nii.gz" if ".gz" in file[-5:] else ".nii"}


def _png(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """MONAI's writer takes the first axis for the columns, so rows and columns change places for it, and back."""
    entries = []
    for key, name in zip(fields(entry["keys"]), _names(entry), strict=True):
        swapped = made("Transposed", keys=[key], indices=_ROWS_AND_COLUMNS)
        options = {"output_ext": ".png", "output_dtype": "$np.uint8"}
        entries += [swapped, {**_saved(key, name, entry["output_dir"]), **options}, dict(swapped)]
    difference = "all files have 8 bits: decimals are cut off and values beyond 255 wrap around, without an error"
    return Native(entries, sentences(difference, _SAME_NAME))


def _classes(entry: Mapping[str, Any], _: NativeContext) -> Native:
    """The saver names a row after the metadata in a field of its own, which is there for that long."""
    source = spelled(entry.get("source_key", "image"))
    folder, name = _folder_and_name(entry["file"])
    entries = [
        made("Lambda", func=f"$lambda item: {{**item, {_META!r}: item[{source}].meta}}"),
        made("SaveClassificationd", keys=[entry["key"]], meta_keys=_META, output_dir=folder, filename=name),
        made("DeleteItemsd", keys=[_META]),
    ]
    difference = "a row is written as soon as its case is done, after the file of an earlier run was deleted"
    return Native(entries, difference, _imports(folder))


def _saved(key: str, name: str, folder: str, **options: Any) -> dict[str, Any]:
    return made("SaveImaged", keys=[key], output_dir=folder, output_postfix=name, print_log=False, **options)


def _names(entry: Mapping[str, Any]) -> list[str]:
    return fields(entry["keys"] if entry.get("names") is None else entry["names"])


def _folder_and_name(file: str) -> tuple[str, str]:
    """Return a path in two parts; each is an expression where the path is one."""
    if not file.startswith("$"):
        return str(Path(file).parent), Path(file).name
    return f"$os.path.dirname({file[1:]})", f"$os.path.basename({file[1:]})"


def _imports(folder: str) -> list[str]:
    return ["import os"] if folder.startswith("$") else []


def _own(entry: Mapping[str, Any], _: NativeContext) -> Native:
    difference = (
        f"your own writer {entry.get('name', '')} is left out: port it to a MONAI MapTransform that writes a "
        "field, and put it at the end of the postprocessing"
    )
    return Native([], difference)


WRITERS = {
    f"{_MODULE}.save_nifti.SaveNiftid": _tap,
    f"{_MODULE}.write_results.WriteNiftid": _nifti,
    f"{_MODULE}.write_results.WritePngd": _png,
    f"{_MODULE}.write_in_file_grid.WriteInFileGridd": _in_file_grid,
    f"{_MODULE}.write_classes.WriteClassesd": _classes,
    "clara_compat.engine.legacy.writer.LegacyWriter": _own,
}
"""What each writer becomes, by its target."""
