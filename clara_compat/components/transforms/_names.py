"""Names that a transform gives to the fields it makes, and to the classes of BraTS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from clara_compat.components.transforms.native import Geometry
from clara_compat.errors import ClaraError, suggestion

__all__ = ["BRATS_CLASSES", "brats_groups", "check_same_size", "new_fields", "split_labels", "with_channels"]

BRATS_CLASSES: Mapping[str, tuple[int, ...]] = {"TC": (1, 4), "WT": (1, 2, 4), "ET": (4,)}
"""Labels of each region of BraTS 2018: tumour core, whole tumour, enhancing tumour."""


def new_fields(names: Sequence[str], argument: str, source: str) -> list[str]:
    """Return the names of the fields a transform makes out of the field ``source``.

    Raises:
        ClaraError: no name, an empty one, one that is there twice, or the source's own.
    """
    if not names or not all(names):
        raise ClaraError(f"argument '{argument}' is {list(names)}, expected a list of names for the new fields")
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise ClaraError(f"argument '{argument}' has '{twice[0]}' more than once, expected a field of its own for each")
    if source in names:
        raise ClaraError(f"argument '{argument}' has '{source}', the field it is made from: choose another name")
    return list(names)


def brats_groups(names: Sequence[str], argument: str) -> list[list[int]]:
    """Return the labels of each of the named classes of BraTS.

    Raises:
        ClaraError: no name, or one that BraTS does not have.
    """
    if not names:
        raise ClaraError(f"argument '{argument}' is empty, expected some of {', '.join(BRATS_CLASSES)}")
    for name in names:
        if name not in BRATS_CLASSES:
            raise ClaraError(
                f"argument '{argument}' has '{name}', expected some of {', '.join(BRATS_CLASSES)}"
                f"{suggestion(name, BRATS_CLASSES)}"
            )
    return [list(BRATS_CLASSES[name]) for name in names]


def with_channels(geometry: Mapping[str, Geometry], fields: Iterable[str], count: int) -> dict[str, Geometry]:
    """Return the geometry with maps of labels turned into ``count`` channels.

    Raises:
        ClaraError: a field has more than one channel.
    """
    out = dict(geometry)
    for field in fields:
        if field in geometry:
            _check_one_channel(field, geometry[field])
            out[field] = geometry[field]._replace(channels=count)
    return out


def split_labels(geometry: Mapping[str, Geometry], field: str, names: Iterable[str]) -> dict[str, Geometry]:
    """Return the geometry with new fields made out of a map of labels.

    Raises:
        ClaraError: the field has more than one channel.
    """
    if field not in geometry:
        return dict(geometry)
    _check_one_channel(field, geometry[field])
    return {**geometry, **dict.fromkeys(names, geometry[field])}


def _check_one_channel(field: str, geometry: Geometry) -> None:
    if geometry.channels != 1:
        raise ClaraError(
            f"field '{field}' has {geometry.channels} channels at this point, expected one channel that holds labels"
        )


def check_same_size(field: str, other: str, geometry: Mapping[str, Geometry]) -> None:
    """Check that two fields have the same spatial size, as far as both are known.

    Raises:
        ClaraError: they have not.
    """
    if field not in geometry or other not in geometry:
        return
    one, two = geometry[field].size, geometry[other].size
    if one != two:
        raise ClaraError(
            f"field '{field}' has {list(one)} voxels at this point and field '{other}' {list(two)}: they must be alike"
        )
