"""Look at an item in the middle of a transform chain: one slice and a few numbers of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.common.constants import ImageProperty
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine import properties
from clara_compat.engine.evaluation.slices import affine_of
from clara_compat.engine.tensors import plain
from clara_compat.report.preview import Cell, Picture
from clara_compat.run.label_facts import LabelFacts, label_facts, layers_of
from clara_compat.run.viewing import View

__all__ = ["Camera"]

_PERCENTILES = (1.0, 99.0)
_SAMPLE = 1 << 19
"""Values that percentiles are taken from."""
_KEPT_WINDOW = 0.25
"""How far, in widths of the window, the percentiles may move before the window follows them: small shifts of the grey
values, which a random transform makes, are to be seen."""
_NO_MILLIMETRES = ("png", "jpg", "npy")


@dataclass(frozen=True)
class _Grey:
    """The values of an image.

    Args:
        low: the smallest.
        high: the largest.
        percentiles: what black and white are taken from; None without a finite value.
        not_finite: how many are NaN or infinite.
    """

    low: float = float("nan")
    high: float = float("nan")
    percentiles: tuple[float, float] | None = None
    not_finite: int = 0


@dataclass(frozen=True)
class _Seen:
    """What is remembered of an item, or of a crop, for the next step."""

    image: bytes
    label: bytes
    grey: _Grey
    facts: LabelFacts
    window: tuple[float, float] | None


class Camera:
    """Makes the cells of one item, step after step."""

    def __init__(self) -> None:
        self._view: View | None = None
        self._before: list[_Seen] = []

    def look(self, items: Any, pictures: int) -> list[Cell]:
        """Return a cell for each crop of an item (one when it has none).

        Args:
            items: an item, or a list of items.
            pictures: at most so many of the cells have a picture.
        """
        several: Sequence[Mapping[str, Any]] = items if isinstance(items, list) else [items]
        same = len(self._before) == len(several)
        before = self._before if same else self._before[:1] * len(several)
        cells, seen = [], []
        for index, item in enumerate(several):
            last = before[index] if before else None
            now = _seen(item, last)
            changed = not same or last is None or (last.image, last.label) != (now.image, now.label)
            cells.append(self._cell(item, now, changed=changed, drawn=index < pictures))
            seen.append(now)
        self._before = seen
        return cells

    def _cell(self, item: Mapping[str, Any], seen: _Seen, *, changed: bool, drawn: bool) -> Cell:
        image, label, facts = item.get("image"), item.get("label"), seen.facts
        notes, warnings = list(facts.notes), list(facts.warnings)
        if not _is_image(image):
            return Cell(
                values=facts.values,
                share=facts.share,
                label_note=", ".join(notes),
                warnings=facts.warnings,
                changed=changed,
            )
        if _is_image(label) and label.shape[1:] != image.shape[1:]:
            notes.append(f"grid of its own: {'×'.join(map(str, label.shape[1:]))}")
        if seen.grey.not_finite:
            warnings.append(f"{seen.grey.not_finite} values of the image are NaN or infinite")
        known = properties.read(image)
        layout = str(known.get(ImageProperty.SHAPE_FORMAT) or ("CDHW" if image.ndim == 4 else "CHW"))
        file_format = known.get(ImageProperty.FORMAT)
        cell = Cell(
            shape=_laid_out(tuple(image.shape), layout),
            layout=layout,
            spacing=_spacing(image),
            spacing_note=f"{file_format}: no mm" if file_format in _NO_MILLIMETRES else "",
            low=seen.grey.low,
            high=seen.grey.high,
            values=facts.values,
            share=facts.share,
            label_note=", ".join(notes),
            warnings=tuple(warnings),
            changed=changed,
        )
        if not drawn or seen.window is None:
            return cell
        if self._view is None:
            self._view = View.of(affine_of(image))
        return _photograph(cell, image, label, seen.window, self._view)


def _photograph(cell: Cell, image: torch.Tensor, label: Any, window: tuple[float, float], view: View) -> Cell:
    """Return the cell with a picture of the slice with the most label."""
    fitting = _values(label) if _is_image(label) and label.ndim == image.ndim and label.numel() else None
    values = _values(image)
    of_image = of_label = 0
    if image.ndim == 4:
        of_image, of_label = _slices(image.shape[-1], fitting)
        values = values[..., of_image]
        fitting = None if fitting is None else fitting[..., of_label]
    colour = image.ndim == 3 and len(image) == 3
    shown = values if colour else values[:1]
    pixels = np.stack([view.seen(channel.to(torch.float32).numpy()) for channel in shown], axis=-1)
    size = view.size(pixels.shape[:2], cell.spacing)
    places = [f"slice {of_image + 1} of {image.shape[-1]}"] if image.ndim == 4 else []
    if len(image) > 1:
        places.append("in colour" if colour else f"first of {len(image)} channels")
    if not cell.spacing_note:
        places.append(f"{size[0]:.0f} × {size[1]:.0f} mm")
    picture = Picture(
        pixels=pixels if colour else pixels[..., 0],
        size=size,
        window=window,
        layers=[] if fitting is None else layers_of(np.stack([view.seen(channel.numpy()) for channel in fitting])),
        edges=view.edges(affine_of(image)),
    )
    return replace(cell, place=", ".join(places), picture=picture)


def _seen(item: Mapping[str, Any], before: _Seen | None) -> _Seen:
    """Look at the values, unless they are those of the step before."""
    image, label = item.get("image"), item.get("label")
    of_image, of_label = _digest(image), _digest(label)
    grey = before.grey if before is not None and before.image == of_image else _grey(image)
    facts = before.facts if before is not None and before.label == of_label else label_facts(label)
    window = _window(grey, before.window if before is not None else None)
    return _Seen(of_image, of_label, grey, facts, window)


def _is_image(value: Any) -> TypeGuard[torch.Tensor]:
    return isinstance(value, torch.Tensor) and value.ndim in (3, 4)


def _values(tensor: torch.Tensor) -> torch.Tensor:
    return plain(tensor).detach().cpu()


def _digest(value: Any) -> bytes:
    """Return what tells a field from others with different values, type, shape or place in space."""
    if not isinstance(value, torch.Tensor):
        return repr(value).encode()
    array = np.ascontiguousarray(_values(value).numpy())
    digest = hashlib.blake2b(f"{array.shape}{array.dtype}{_spacing(value)}".encode(), digest_size=16)
    if isinstance(value, MetaTensor):
        digest.update(np.ascontiguousarray(value.affine.numpy()).tobytes())
    if array.size:
        digest.update(array.view(np.uint8).data)
    return digest.digest()


def _spacing(image: torch.Tensor) -> tuple[float, ...]:
    known = properties.read(image).get(ImageProperty.SPACING)
    try:
        spacing = tuple(float(one) for one in known or ())
    except (TypeError, ValueError):  # a property that a user's code filled with something else
        spacing = ()
    return spacing or properties.affine_spacing(image)


def _laid_out(shape: tuple[int, ...], layout: str) -> tuple[int, ...]:
    """Return a channel-first shape in the order of ``layout``."""
    found = ShapeFormat(layout)
    if not found.is_channeled():
        return shape[1:]
    return shape if found.is_channels_first() else (*shape[1:], shape[0])


def _grey(image: Any) -> _Grey:
    if not _is_image(image) or not image.numel():
        return _Grey()
    values = _values(image)
    low, high = (float(one) for one in values.aminmax())
    not_finite = 0
    if not np.isfinite([low, high]).all():
        finite = values[torch.isfinite(values)]
        not_finite, values = values.numel() - finite.numel(), finite
        if not values.numel():
            return _Grey(not_finite=not_finite)
        low, high = (float(one) for one in values.aminmax())
    sample = values.flatten()[:: max(1, values.numel() // _SAMPLE) | 1].to(torch.float64).numpy()
    black, white = (float(one) for one in np.percentile(sample, _PERCENTILES))
    if black >= white:  # nearly all values are one
        black, white = (low, high) if low < high else (low - 0.5, low + 0.5)
    return _Grey(low, high, (black, white), not_finite)


def _window(grey: _Grey, before: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the values for black and white: the percentiles, or the window before where these are close to it."""
    if grey.percentiles is None:
        return before
    if before is not None:
        slack = _KEPT_WINDOW * (before[1] - before[0])
        if all(abs(one - other) <= slack for one, other in zip(grey.percentiles, before, strict=True)):
            return before
    return grey.percentiles


def _slices(size: int, label: torch.Tensor | None) -> tuple[int, int]:
    """Return the index along the last axis of the slice with the most label (the middle without), in both grids."""
    if label is None:
        return size // 2, 0
    per_slice = (label != 0).flatten(end_dim=-2).sum(dim=0)
    most = torch.nonzero(per_slice == per_slice.max()).flatten()
    chosen = int(most[len(most) // 2])
    return min(int((chosen + 0.5) / len(per_slice) * size), size - 1), chosen
