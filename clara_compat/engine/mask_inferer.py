"""A window scan whose result is the masks of the classes, not their probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.inferers import Inferer, SlidingWindowInferer
from monai.utils import fall_back_tuple

from clara_compat.engine.slabs import slabs
from clara_compat.engine.tensors import plain

__all__ = ["MaskInferer"]


class MaskInferer(Inferer):
    """Scans a volume as ``SlidingWindowInferer`` does and keeps one byte of each predicted value instead of four.

    For metrics that only ask which channels reach a threshold and which is the greatest. The byte answers both as the
    value itself does: ``masks >= threshold`` and ``masks.argmax(dim=1)`` are those of the probabilities. It is -1 below
    the threshold and 1 from there on, and one more in the greatest channel of a voxel (the first of equals).

    Windows that do not overlap are scanned piece after piece along the axis with most of them (the last two, which do,
    together), so that probabilities of a piece only are ever held. The windows and their means are the same.

    Args:
        inferer: scans a piece; with an overlap the whole volume is one.
        threshold: above 0 and at most 1.

    Raises:
        ValueError: for another threshold.

    Example::

        inferer = MaskInferer(SlidingWindowInferer((96, 96, 96), overlap=0.0), threshold=0.5)
        masks = inferer(image, network)  # (N, C, spatial...), int8
    """

    def __init__(self, inferer: SlidingWindowInferer, threshold: float = 0.5) -> None:
        super().__init__()
        if not 0.0 < threshold <= 1.0:
            raise ValueError(f"threshold must be above 0 and at most 1 but is {threshold}")
        self.inferer = inferer
        self.threshold = threshold

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """Infer as the wrapped inferer does.

        Args:
            inputs: (N, C, spatial...).
            network: computes a tensor.
            args: passed on.
            kwargs: passed on.

        Returns:
            (N, C, spatial...) int8, as the class describes.

        Raises:
            TypeError: the network gives several tensors.
        """
        image = plain(inputs)
        axis, lengths = self._pieces(image)
        masks: torch.Tensor | None = None
        first = 0
        for piece in image.split(lengths, dim=axis):
            values = self.inferer(piece, network, *args, **kwargs)
            if not isinstance(values, torch.Tensor):
                raise TypeError(f"the network gives a {type(values).__name__}, masks are made of one tensor")
            if masks is None:
                masks = torch.empty((*values.shape[:2], *image.shape[2:]), dtype=torch.int8, device=values.device)
            for pair in slabs(values, masks.narrow(axis, first, piece.shape[axis])):
                self._reduce(*pair)
            first += piece.shape[axis]
        if masks is None:
            raise ValueError("a volume without voxels has no masks")
        return masks

    def _pieces(self, image: torch.Tensor) -> tuple[int, list[int]]:
        """Return the axis along which the volume is cut, and how many layers each piece has."""
        size = image.shape[2:]
        roi = fall_back_tuple(self.inferer.roi_size, size)
        axis = max(range(len(size)), key=lambda one: size[one] // roi[one])
        count = 1 if self.inferer.overlap else max(size[axis] // roi[axis], 1)
        lengths = [roi[axis]] * (count - 1)
        return 2 + axis, [*lengths, size[axis] - sum(lengths)]

    def _reduce(self, values: torch.Tensor, masks: torch.Tensor) -> None:
        greatest = values.argmax(dim=1)
        for channel in range(values.shape[1]):
            reached = (values[:, channel] >= self.threshold).to(torch.int8)
            masks[:, channel] = 2 * reached - 1 + (greatest == channel)
