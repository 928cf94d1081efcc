"""What is kept of a case for a picture of it: a slice with its masks, class by class, in a few kilobytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from monai.utils import CommonKeys
from PIL import Image

from clara_compat.engine.evaluation.slices import Array, Cut, affine_of, grey_window
from clara_compat.engine.metrics.dice import ClaraDice
from clara_compat.engine.overlap import Masks, class_masks, largest, overlaps, thresholded
from clara_compat.engine.slabs import slabs
from clara_compat.engine.tensors import plain

__all__ = ["CasePicture", "Comparison", "picture_of"]

_MOST_LAYERS = 8
_LARGE = 2**20
"""Voxels of a volume from which on every second one is looked at."""

Join = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class CasePicture:
    """A slice of a case.

    Args:
        image: (first axis, second axis), or with three colours (first axis, second axis, 3); uint8.
        place: which slice and channel it is, in words.
        affine: of the whole image, from voxel indices to RAS mm.
        spacing: mm per voxel of the slice, along its two axes.
        layers: by the classes' names, where label and where prediction are: two arrays of the slice's shape, bool.
    """

    image: Array
    place: str
    affine: Array
    spacing: tuple[float, float]
    layers: dict[str, tuple[Array, Array]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the picture as plain data, arrays as PNG files in base 64."""
        return {
            "place": self.place,
            "affine": self.affine.tolist(),
            "spacing": list(self.spacing),
            "image": _png(self.image),
            "layers": [
                {"name": name, "label": _png(label), "prediction": _png(prediction)}
                for name, (label, prediction) in self.layers.items()
            ],
        }


@dataclass(frozen=True)
class Comparison:
    """How a prediction and a label become the masks that are compared: as the validation's Dice has them.

    Args:
        field: of the prediction.
        label_field: of the label.
        threshold: a prediction's values from there on are in the mask of their channel; None for the greatest channel
            of a voxel.
        skips_background: channel 0 is left out when there are several.
        is_one_hot: the label has a channel per class; None when the shapes tell.
    """

    field: str = CommonKeys.PRED
    label_field: str = CommonKeys.LABEL
    threshold: float | None = None
    skips_background: bool = True
    is_one_hot: bool | None = None

    @classmethod
    def of(cls, metrics: Iterable[Any]) -> Comparison:
        """Return the comparison of the first metric that is a Dice; without one, that of classes.

        Args:
            metrics: of an engine.
        """
        for metric in metrics:
            if isinstance(metric, ClaraDice):
                return cls(
                    metric.prediction_field,
                    metric.label_field,
                    metric.logit_thresh,
                    metric.remove_bg,
                    metric.is_one_hot_targets,
                )
        return cls()

    def fits(self, image: torch.Tensor, prediction: Any, label: Any) -> bool:
        """Whether batches of images, predictions and labels lie on one grid, with channels that belong together.

        Args:
            image: (N, C, spatial...).
            prediction: the same, or something else that is no image.
            label: the same, or something else that is no image.
        """
        tensors = (image, prediction, label)
        if not all(
            isinstance(one, torch.Tensor) and one.ndim == image.ndim and image.ndim in (4, 5) for one in tensors
        ):
            return False
        if len({(len(one), *one.shape[2:]) for one in tensors}) > 1 or not image[0].numel():
            return False
        return label.shape[1] == (prediction.shape[1] if self.has_channels(prediction, label) else 1)

    def has_channels(self, prediction: torch.Tensor, label: torch.Tensor) -> bool:
        """Whether the label (N, C, spatial...) has a channel per class.

        Args:
            prediction: (N, C, spatial...).
            label: (N, C, spatial...).
        """
        told = prediction.shape[1] == label.shape[1] > 1
        return told if self.is_one_hot is None else self.is_one_hot

    def channels(self, count: int) -> range:
        """Return the channels that count.

        Args:
            count: of the prediction.
        """
        return range(1 if self.skips_background and count > 1 else 0, count)

    def masks(self, prediction: torch.Tensor, label: torch.Tensor) -> Masks:
        """Return what makes masks of the prediction (N, C, spatial...).

        Args:
            prediction: the batch.
            label: of the same cases.
        """
        if self.threshold is not None:
            return thresholded(self.threshold)
        classes = prediction.shape[1] > 1 and not self.has_channels(prediction, label)
        return largest if classes else thresholded(0.5)

    def names(self, count: int) -> list[str]:
        """Return the names of the channels that count.

        Args:
            count: of the prediction's channels.
        """
        return ["foreground"] if count == 1 else [f"class {channel}" for channel in self.channels(count)]

    def counts(self, prediction: torch.Tensor, label: torch.Tensor) -> Array:
        """Count the voxels of one case (1, C, spatial...) that are predicted and true, predicted, and true.

        Args:
            prediction: of the case.
            label: of the case.

        Returns:
            (3,), summed over the classes.
        """
        found = overlaps(
            prediction,
            label,
            self.masks(prediction, label),
            self.channels(prediction.shape[1]),
            is_one_hot=self.has_channels(prediction, label),
        )
        return found[0].sum(dim=0).cpu().numpy()

    def worst_slice(self, prediction: torch.Tensor, label: torch.Tensor) -> int:
        """Return the slice across the last axis of a volume (1, C, spatial...) with most wrong voxels.

        Where none is wrong it is the one with most of the classes. Of large volumes only every second voxel along the
        first two axes is looked at.

        Args:
            prediction: of the case.
            label: of the case.
        """
        step = 2 if label[0, 0].numel() > _LARGE else 1
        predicted, true = (plain(one)[:, :, ::step, ::step] for one in (prediction, label))
        wrong = self._by_slice(predicted, true, torch.logical_xor)
        return int((wrong if wrong.any() else self._by_slice(predicted, true, torch.logical_or)).argmax())

    def _by_slice(self, prediction: torch.Tensor, label: torch.Tensor, join: Join) -> torch.Tensor:
        """Count the voxels of every slice that are in the joined masks of prediction and label, over the classes."""
        channels = prediction.shape[1]
        masks = self.masks(prediction, label)
        found = torch.zeros(label.shape[-1], dtype=torch.int64, device=prediction.device)
        for values, targets in slabs(prediction, label):
            predicted = masks(values)
            true = class_masks(targets, channels, self.has_channels(values, targets))
            for channel in self.channels(channels):
                joined = join(predicted(channel), true(channel)).contiguous().view(torch.uint8)  # bytes add up fast
                found += joined.flatten(end_dim=-2).sum(dim=0, dtype=torch.int32)
        return found


def picture_of(
    image: torch.Tensor, comparison: Comparison, prediction: Any = None, label: Any = None
) -> CasePicture | None:
    """Return a picture of a case: the slice with most wrong voxels, or with most of label and prediction if none is.

    Args:
        image: (C, spatial...); a picture of three channels is shown in colour, of others the first channel.
        comparison: how the masks are made.
        prediction: (1, C, spatial...) on the image's grid; None shows the image alone, its middle slice.
        label: the same of the label, on the prediction's device.
    """
    if image.ndim not in (3, 4) or not image.numel():
        return None
    size = tuple(image.shape[1:])
    compared = prediction is not None and label is not None
    number = size[2] // 2 if len(size) == 3 else 0
    if compared and len(size) == 3:
        number = comparison.worst_slice(prediction, label)
    cut, affine = Cut(size, number), affine_of(image)
    place = [cut.place]
    is_coloured = len(size) == 2 and len(image) == 3
    if len(image) > 1 and not is_coloured:
        place.append(f"first of {len(image)} channels")
    shown = cut(plain(image) if is_coloured else plain(image)[:1]).detach().float().cpu().numpy()
    pixels = _grey(np.moveaxis(shown, 0, -1))
    return CasePicture(
        pixels if is_coloured else pixels[..., 0],
        ", ".join(place),
        cut.lying(affine),
        cut.spacing(affine),
        _layers(comparison, cut(prediction), cut(label)) if compared else {},
    )


def _layers(comparison: Comparison, prediction: torch.Tensor, label: torch.Tensor) -> dict[str, tuple[Array, Array]]:
    """Return the masks of a slice by class, the largest first; what is neither label nor prediction is left out.

    A channel that is all of the picture but the other ones is its background.
    """
    prediction, label = plain(prediction), plain(label)
    channels = prediction.shape[1]
    predicted = comparison.masks(prediction, label)(prediction)
    true = class_masks(label, channels, comparison.has_channels(prediction, label))
    found = []
    for name, channel in zip(comparison.names(channels), comparison.channels(channels), strict=True):
        pair = true(channel)[0].cpu().numpy(), predicted(channel)[0].cpu().numpy()
        if pair[0].any() or pair[1].any():
            found.append((name, pair))
    if len(found) > 1 and comparison.channels(channels)[0] == 0 and found[0][0] == "class 0":
        others = np.any([pair[0] for _, pair in found[1:]], axis=0)
        if np.array_equal(found[0][1][0], ~others):
            del found[0]
    found.sort(key=lambda one: -int((one[1][0] | one[1][1]).sum()))
    return dict(found[:_MOST_LAYERS])


def _grey(values: Array) -> Array:
    """Return values as bytes, black and white at the ends of their window."""
    low, high = grey_window(values)
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / (high - low)
    return np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def _png(values: Array) -> str:
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, format="PNG", optimize=False)
    return base64.b64encode(stream.getvalue()).decode("ascii")
