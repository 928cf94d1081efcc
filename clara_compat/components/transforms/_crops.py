"""What crops have in common: checks of their arguments, and what they make of a header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from clara_compat.components.transforms.native import Geometry
from clara_compat.errors import ClaraError

__all__ = ["check_axes", "check_batch_size", "check_weights", "crop_size", "cut_out", "of_size"]


def crop_size(size: Sequence[int], argument: str = "size") -> list[int]:
    """Return the size of a crop.

    Raises:
        ClaraError: it is not 2 or 3 positive numbers.
    """
    if len(size) not in (2, 3) or min(size) < 1:
        raise ClaraError(f"argument '{argument}' is {list(size)}, expected 2 or 3 positive numbers of voxels")
    return [int(n) for n in size]


def check_weights(pos: float, neg: float) -> None:
    """Check the weights of foreground and background.

    Raises:
        ClaraError: one is negative or both are 0.
    """
    if min(pos, neg) < 0 or pos + neg <= 0:
        raise ClaraError(f"pos and neg are {pos} and {neg}, expected weights of at least 0 that are not both 0")


def check_batch_size(batch_size: int, argument: str = "batch_size") -> None:
    """Check a number of crops.

    Raises:
        ClaraError: it is below 1.
    """
    if batch_size < 1:
        raise ClaraError(f"argument '{argument}' is {batch_size}, expected a whole number of at least 1")


def check_axes(size: Sequence[int], spatial_dims: int) -> None:
    """Check that a crop has as many axes as the pipeline's images.

    Raises:
        ClaraError: it has not.
    """
    if len(size) != spatial_dims:
        raise ClaraError(
            f"the crop size {list(size)} has {len(size)} numbers, but the images have {spatial_dims} spatial axes"
        )


def cut_out(geometry: Mapping[str, Geometry], fields: Iterable[str], size: Sequence[int]) -> dict[str, Geometry]:
    """Return the geometry with the fields cut to ``size``.

    Raises:
        ClaraError: the crop is larger than a field, or has another number of axes.
    """
    for field in fields:
        found = geometry[field].size if field in geometry else ()
        if len(found) == len(size) and any(crop > n for crop, n in zip(size, found, strict=True)):
            raise ClaraError(
                f"a crop of {list(size)} voxels is larger than field '{field}', which has {list(found)} at this point: "
                "make 'size' smaller or resample to smaller voxels"
            )
    return of_size(geometry, fields, size)


def of_size(geometry: Mapping[str, Geometry], fields: Iterable[str], size: Sequence[int]) -> dict[str, Geometry]:
    """Return the geometry with the fields cut or padded to ``size``; the spacing stays.

    Raises:
        ClaraError: ``size`` has another number of axes than a field.
    """
    out = dict(geometry)
    for field in fields:
        if field not in geometry:
            continue
        axes = len(geometry[field].size)
        if len(size) != axes:
            raise ClaraError(f"the crop size {list(size)} does not fit field '{field}' of {axes} spatial axes")
        out[field] = geometry[field]._replace(size=tuple(size))
    return out
