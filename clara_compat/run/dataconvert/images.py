"""One image: read, brought to the new grid, and described in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clara_compat.engine.readers.intact import check_intact
from clara_compat.errors import ClaraError
from clara_compat.run.dataconvert.plan import Request
from clara_compat.run.dataconvert.series import series_files

__all__ = ["Converted", "converted", "new_size", "resampled"]

_STORED = {
    "char": "SS",
    "unsigned_char": "UC",
    "short": "SS",
    "unsigned_short": "US",
    "int": "SI",
    "unsigned_int": "UI",
    "long": "SI",
    "unsigned_long": "UI",
    "long_long": "SI",
    "unsigned_long_long": "UI",
    "float": "F",
    "double": "D",
}
"""ITK's type for the voxels of a result, by ITK's name of the file's type; its Python has none for char and long."""

_DTYPES: dict[str, np.dtype[Any]] = {
    "UC": np.dtype(np.uint8),
    "SS": np.dtype(np.int16),
    "US": np.dtype(np.uint16),
    "SI": np.dtype(np.int32),
    "UI": np.dtype(np.uint32),
    "F": np.dtype(np.float32),
    "D": np.dtype(np.float64),
}
_CHANGED = {
    "char": "int8",
    "long": "int64",
    "long_long": "int64",
    "unsigned_long": "uint64",
    "unsigned_long_long": "uint64",
}
"""The usual names of the types that cannot be stored as they are."""

_TIE = 1e-6
"""Voxels; a centre this near to the border between two voxels lies on it, whatever the rounding of its place."""


class Converted(NamedTuple):
    """An ITK image, and its old and new grid in words."""

    image: Any
    text: str


def converted(source: Path, request: Request) -> Converted:
    """Read a file or the folder of a DICOM series, and resample it when a resolution is asked for.

    The type of the voxels is kept, except that ITK's Python stores int8 as int16, and 64-bit integers as 32-bit ones.

    Raises:
        ClaraError: the image is damaged, of a kind that cannot be converted, or its values do not fit.
        RuntimeError: ITK cannot read it.
    """
    import itk

    if source.is_dir():
        files = series_files(source)
    else:
        check_intact(source)
        files = [str(source)]
    component = _component(files[0])
    stored = _STORED[component]
    image = itk.imread(files if len(files) > 1 else files[0], getattr(itk, _read_as(component, request)))
    size, spacing = _grid(image)
    text, remark = _words(size, spacing), ""
    if request.spacing is not None:
        target = (*request.spacing[: len(size)], *spacing[3:])
        if not np.allclose(target, spacing, rtol=_TIE, atol=0):
            image, remark = _resample(image, target, request)
            text += f" -> {_words(*_grid(image))}"
    if itk.array_view_from_image(image).dtype != _DTYPES[stored]:
        image = _like(image, _cast(itk.array_view_from_image(image), _DTYPES[stored]), image.GetSpacing())
    image.SetMetaDataDictionary(itk.MetaDataDictionary())
    if component in _CHANGED:
        remark += f"; {_CHANGED[component]} is stored as {_DTYPES[stored]}"
    return Converted(image, text + remark)


def _component(file: str) -> str:
    """Return ITK's name of the file's voxel type, having checked that the image is one that can be converted."""
    import itk

    header = itk.ImageIOFactory.CreateImageIO(file, itk.CommonEnums.IOFileMode_ReadMode)
    if header is None:
        raise ClaraError("it is damaged, or not of the format its name says")
    header.SetFileName(file)
    header.ReadImageInformation()
    if header.GetNumberOfComponents() != 1:
        kind = header.GetPixelTypeAsString(header.GetPixelType())
        raise ClaraError(
            f"each voxel holds {header.GetNumberOfComponents()} values ({kind}); only images of one value are converted"
        )
    if not 2 <= header.GetNumberOfDimensions() <= 4:
        raise ClaraError(f"it has {header.GetNumberOfDimensions()} axes; images of 2 to 4 axes are converted")
    component: str = header.GetComponentTypeAsString(header.GetComponentType())
    if component not in _STORED:
        raise ClaraError(f"its voxels are of type {component}, which cannot be converted")
    return component


def _read_as(component: str, request: Request) -> str:
    """Return the ITK type in which the voxels are held: the stored one, or one that ITK's Python resamples exactly."""
    stored = _STORED[component]
    if "long" in component:
        return "D"
    if request.spacing is None:
        return stored
    if stored in {"SI", "UI", "D"}:
        return "D"
    return stored if request.label else "F"


def _grid(image: Any) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the size in voxels and the spacing in mm (of a fourth axis: in seconds), first axis first."""
    return tuple(int(n) for n in image.GetLargestPossibleRegion().GetSize()), tuple(map(float, image.GetSpacing()))


def _words(size: Sequence[int], spacing: Sequence[float]) -> str:
    return f"{'x'.join(map(str, size))} of {'x'.join(f'{s:.4g}' for s in spacing[:3])} mm"


def new_size(size: Sequence[int], spacing: Sequence[float], target: Sequence[float], precision: int) -> tuple[int, ...]:
    """Return ``floor(size * spacing / target)``, at least 1 (clara-3.1 facts, engine section 1.10).

    The spacing is rounded to ``precision`` decimals first, as in Clara; only here, the places of the voxels come from
    the spacing as it is. A product within a millionth of a whole number is that number.
    """
    return tuple(
        max(1, math.floor(round(n * (round(now, precision) or now) / new, 6)))
        for n, now, new in zip(size, spacing, target, strict=True)
    )


def _resample(image: Any, target: Sequence[float], request: Request) -> tuple[Any, str]:
    """Return the image on the new grid, and a remark when that reaches beyond the old one."""
    import itk

    size, spacing = _grid(image)
    wanted = new_size(size, spacing, target, request.precision)
    steps = [new / now for new, now in zip(target, spacing, strict=True)]
    array = resampled(itk.array_view_from_image(image), wanted, steps, nearest=request.label, edge=request.edge)
    beyond = [max(0, m - _inside(n, step)) for n, m, step in zip(size, wanted, steps, strict=True)]
    remark = ""
    if any(beyond) and not request.edge:
        places = ", ".join(f"{count} along {axis}" for axis, count in zip("xyzt", beyond, strict=False) if count)
        remark = f"; the last voxels ({places}) lie beyond the image and are 0, --edge continues the image"
    return _like(image, array, target), remark


def _inside(n: int, step: float) -> int:
    """Return how many centres ``i * step`` lie in an axis of ``n`` voxels, which ends half a voxel after the last."""
    return math.ceil((n - 0.5 - _TIE) / step)


def resampled(
    array: np.ndarray, size: Sequence[int], steps: Sequence[float], *, nearest: bool, edge: bool
) -> np.ndarray:
    """Resample along the axes of an array; the first voxel stays in its place.

    This is what ITK's ResampleImageFilter does with origin and direction of the source, linear or nearest, done on
    voxel indices: with the world's coordinates of an oblique scan, the rounding of each place decides on which side of
    a border it falls, and ITK cuts 999.9999 down to 999. Places between the last centre and the border take the last
    voxel.

    Args:
        array: axes in numpy's order (z, y, x), of a type that ITK's Python resamples.
        size: new size, x first.
        steps: distance of the new voxels in old ones, x first.
        nearest: take the nearest voxel, on a border the later one; otherwise interpolate linearly.
        edge: continue the last voxel where the new grid reaches beyond the border, which is otherwise 0.
    """
    import itk

    old = array.shape[::-1]
    over = [max(0, math.ceil((m - 1) * step - _TIE) - (n - 1)) for n, m, step in zip(old, size, steps, strict=True)]
    if any(over):
        array = np.pad(array, [(0, more) for more in reversed(over)], mode="edge")
    image = itk.image_view_from_array(array)
    resampler = itk.ResampleImageFilter[type(image), type(image)].New(Input=image)
    resampler.SetOutputSpacing(list(steps))
    resampler.SetSize(list(size))
    if nearest:
        resampler.SetInterpolator(itk.NearestNeighborInterpolateImageFunction[type(image), itk.D].New())
        resampler.SetOutputOrigin([_TIE] * len(size))  # on a border: the later voxel, for every rounding of its place
    resampler.Update()
    out: np.ndarray = itk.array_view_from_image(resampler.GetOutput())
    if not edge:
        for axis, (n, step) in enumerate(zip(reversed(old), reversed(steps), strict=True)):
            np.moveaxis(out, axis, 0)[_inside(n, step) :] = 0
    return out


def _like(image: Any, array: np.ndarray, spacing: Sequence[float]) -> Any:
    """Return an ITK image of ``array`` that begins where ``image`` begins, in its directions."""
    import itk

    new = itk.image_view_from_array(array)
    new.SetSpacing(list(spacing))
    new.SetOrigin(image.GetOrigin())
    new.SetDirection(image.GetDirection())
    return new


def _cast(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the array in ``dtype``, rounded (in place) to whole numbers when that is an integer type."""
    if not np.issubdtype(dtype, np.integer):
        return array.astype(dtype)
    whole = np.rint(array, out=array)
    limits = np.iinfo(dtype)
    for value in (whole.min(), whole.max()):
        if not limits.min <= value <= limits.max:
            raise ClaraError(f"it holds the value {value:.0f}, which does not fit {dtype}, the type it is stored in")
    return whole.astype(dtype)
