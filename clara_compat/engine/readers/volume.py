"""What reading a file gives, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from clara_compat.errors import ClaraError

__all__ = ["Header", "Volume", "plain_header", "plain_volume", "reading", "reason"]


class Header(NamedTuple):
    """What a file's header says.

    Attributes:
        size: voxels per spatial axis.
        spacing: mm per spatial axis.
        channels: number of channels.
        affine: from voxel indices to RAS mm (4x4).
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    channels: int
    affine: np.ndarray[Any, Any]


class Volume(NamedTuple):
    """One file.

    Attributes:
        data: channel-first array (C, spatial...), the file's spatial axes in their order.
        shape_format: the file's own layout: ``DHW`` or ``HW`` when it has no channel axis.
        affine: from voxel indices to RAS mm (4x4, float64).
        original_affine: the affine of the file, before any re-orientation.
        spacing: the header's, mm per spatial axis.
        file_format: short name of the format, such as ``nii``.
    """

    data: np.ndarray[Any, Any]
    shape_format: str
    affine: np.ndarray[Any, Any]
    original_affine: np.ndarray[Any, Any]
    spacing: tuple[float, ...]
    file_format: str

    @property
    def original_shape(self) -> tuple[int, ...]:
        """The shape of the array in the file's own layout."""
        if "C" not in self.shape_format:
            return tuple(self.data.shape[1:])
        return tuple(self.data.shape if self.shape_format[0] == "C" else (*self.data.shape[1:], len(self.data)))


def plain_volume(data: np.ndarray[Any, Any], shape_format: str, file_format: str) -> Volume:
    """Return the volume of a file that says nothing of its place in space: identity affine, spacing 1.

    Args:
        data: the array.
        shape_format: its layout.
        file_format: name of the format, for messages.
    """
    return Volume(data, shape_format, np.eye(4), np.eye(4), (1.0,) * (data.ndim - 1), file_format)


def plain_header(size: tuple[int, ...], channels: int) -> Header:
    """Return the header of a file that says nothing of its place in space: identity affine, spacing 1.

    Args:
        size: voxels per axis.
        channels: how many it has.
    """
    return Header(size, (1.0,) * len(size), channels, np.eye(4))


@contextmanager
def reading(
    path: str, expected: str, unreadable: tuple[type[BaseException], ...], explain: Callable[[BaseException], str]
) -> Iterator[None]:
    """Turn what reading ``path`` raises into one sentence.

    Args:
        path: the file.
        expected: what it should be, such as ``a NIfTI file (.nii or .nii.gz)``.
        unreadable: what a damaged file makes the reader raise.
        explain: says what is wrong with the file, given one of those.

    Raises:
        ClaraError: the file is missing, may not be read, is a folder, is damaged, or does not fit into memory.
    """
    try:
        yield
    except FileNotFoundError:
        raise ClaraError(f"'{path}' does not exist: check DATA_ROOT and the data list") from None
    except PermissionError:
        raise ClaraError(f"'{path}' may not be read: check its permissions") from None
    except IsADirectoryError:
        raise ClaraError(f"'{path}' is a folder, expected {expected}") from None
    except MemoryError as error:
        raise ClaraError(f"there is not enough memory to read '{path}': end other programs, or leave it out") from error
    except unreadable as error:
        raise ClaraError(f"'{path}' cannot be read: {explain(error)}") from error


def reason(error: BaseException) -> str:
    """Return the last line of an error's text: libraries in C++ put the cause there.

    Args:
        error: what was raised.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{lines[-1]:.200}" if lines else type(error).__name__
