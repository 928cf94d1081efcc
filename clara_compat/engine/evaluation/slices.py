"""One slice of a case, small enough to be kept for all of them: what a figure per case needs to be explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.engine.tensors import plain

__all__ = ["CaseSlice", "Cut", "affine_of", "case_slice", "grey_window"]

_MOST = 256
"""Voxels of a slice per axis, about; of larger ones every second, third, ... is kept."""
_WINDOW = (1, 99)
"""Percentiles of a slice that are drawn black and white."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class CaseSlice:
    """A slice across the last axis: the one in which prediction and label have most voxels.

    Args:
        image: (first axis, second axis), float32.
        predicted: bool, of the same shape.
        true: bool, of the same shape.
        affine: of the whole image, from voxel indices to RAS mm.
        spacing: mm per voxel of the slice, along its two axes.
        place: which slice it is, in words.
    """

    image: Array
    predicted: Array
    true: Array
    affine: Array
    spacing: tuple[float, float]
    place: str


@dataclass(frozen=True)
class Cut:
    """Takes a slice across the last axis out of volumes of one size, thinned to a few hundred voxels; pictures whole.

    Args:
        size: of the volume, or of the picture: two or three numbers.
        number: which slice, from 0.
    """

    size: tuple[int, ...]
    number: int = 0

    @property
    def step(self) -> int:
        """Every how many voxels one is kept, along both axes."""
        return max(1, -(-max(self.size[:2]) // _MOST))

    @property
    def place(self) -> str:
        """Which slice it is, in words."""
        return f"slice {self.number + 1} of {self.size[2]}" if len(self.size) == 3 else "the whole picture"

    def spacing(self, affine: Array) -> tuple[float, float]:
        """Return the mm per voxel of the slice along its two axes.

        Args:
            affine: (4, 4), from voxels of the volume to mm.
        """
        lengths = np.linalg.norm(affine[:3, :2], axis=0) * self.step
        return float(lengths[0]), float(lengths[1])

    def lying(self, affine: Array) -> Array:
        """Return the affine that tells how the slice lies in a patient: of a picture the identity, which tells nothing.

        What turned or resized a picture has given it an affine, but no patient.

        Args:
            affine: (4, 4), from voxels of the volume to mm.
        """
        return affine if len(self.size) == 3 else np.eye(4)

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Return the slice (..., first axis, second axis) of (..., spatial...), a view."""
        plane = values[..., self.number] if len(self.size) == 3 else values
        return plane[..., :: self.step, :: self.step]


def case_slice(image: Any, predicted: Any, true: Any) -> CaseSlice | None:
    """Return a slice of a case; None where image, prediction and label are not images on one grid.

    Args:
        image: (C, spatial...); its first channel is shown.
        predicted: (C, spatial...); with several channels the first is taken for background.
        true: the same of the label.
    """
    tensors = (image, predicted, true)
    if not all(isinstance(one, torch.Tensor) and one.ndim in (3, 4) for one in tensors):
        return None
    if len({tuple(one.shape[1:]) for one in tensors}) > 1:
        return None
    masks = [_mask(one) for one in (predicted, true)]
    grey = plain(image)[0]
    number = int((masks[0] | masks[1]).sum(dim=(0, 1)).argmax()) if grey.ndim == 3 else 0
    cut, affine = Cut(tuple(grey.shape), number), affine_of(image)
    kept = [cut(one).cpu().numpy().copy() for one in (grey.float(), *masks)]
    return CaseSlice(kept[0], kept[1], kept[2], cut.lying(affine), cut.spacing(affine), cut.place)


def affine_of(image: torch.Tensor, index: int | None = None) -> Array:
    """Return from where to where an image maps: (4, 4), from voxel indices to RAS mm; the identity if nobody knows.

    Args:
        image: (C, spatial...), or a batch of them.
        index: of the image in the batch.
    """
    if not isinstance(image, MetaTensor):
        return np.eye(4)
    affine = image.affine.detach().cpu().numpy()
    if index is not None and affine.ndim == 3:
        affine = affine[index]
    return affine if affine.shape == (4, 4) and np.isfinite(affine).all() else np.eye(4)


def grey_window(pixels: Array) -> tuple[float, float]:
    """Return the values of a slice that are drawn black and white.

    Args:
        pixels: of the slice.
    """
    finite = pixels[np.isfinite(pixels)]
    low, high = (float(one) for one in np.percentile(finite, _WINDOW)) if finite.size else (0.0, 1.0)
    return low, high if high > low else low + 1


def _mask(tensor: torch.Tensor) -> torch.Tensor:
    values = plain(tensor)
    return values[0] >= 0.5 if len(values) == 1 else values.argmax(dim=0) > 0
