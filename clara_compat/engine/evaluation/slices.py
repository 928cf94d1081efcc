"""One slice of a case, small enough to be kept for all of them: what a figure per case needs to be explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.engine.tensors import plain

__all__ = ["CaseSlice", "case_slice"]

_MOST = 256
"""Voxels of a slice per axis, about; of larger ones every second, third, ... is kept."""

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
    grey, number, place = plain(image)[0], 0, "the whole picture"
    if grey.ndim == 3:
        number = int((masks[0] | masks[1]).sum(dim=(0, 1)).argmax())
        place = f"slice {number + 1} of {grey.shape[2]}"
        grey, masks = grey[..., number], [mask[..., number] for mask in masks]
    step = max(1, -(-max(grey.shape) // _MOST))
    affine = image.affine.cpu().numpy() if isinstance(image, MetaTensor) else np.eye(4)
    lengths = np.linalg.norm(affine[:3, :2], axis=0) * step
    kept = [one[::step, ::step].cpu().numpy().copy() for one in (grey.float(), *masks)]
    return CaseSlice(kept[0], kept[1], kept[2], affine, (float(lengths[0]), float(lengths[1])), place)


def _mask(tensor: torch.Tensor) -> torch.Tensor:
    values = plain(tensor)
    return values[0] >= 0.5 if len(values) == 1 else values.argmax(dim=0) > 0
