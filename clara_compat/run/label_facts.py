"""What there is to say of a label: its values, and how much of it is not background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from clara_compat.engine.tensors import plain
from clara_compat.report.preview import Layer, number

__all__ = ["LabelFacts", "label_facts", "layers_of"]

_MOST_LAYERS = 30
_WIDEST = 1 << 12
"""Range of values that are counted in a table."""


@dataclass(frozen=True)
class LabelFacts:
    """A label in words.

    Args:
        values: the different values; the smallest and largest where some are no whole numbers; of a class label, it.
        share: fraction (twice: smallest and largest) that is not 0; None where the label is no image.
        notes: what else to say.
        warnings: what is suspicious.
    """

    values: tuple[str, ...] = ()
    share: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def label_facts(label: Any) -> LabelFacts:
    """Describe a label: an image (C, spatial...), a class or a list of classes, or a path that is not loaded yet."""
    if label is None:
        return LabelFacts(notes=("no label",))
    if isinstance(label, torch.Tensor) and label.ndim in (3, 4):
        return _of_image(plain(label).detach().cpu())
    numbers = np.asarray(label.cpu() if isinstance(label, torch.Tensor) else label)
    if numbers.dtype.kind not in "biuf":
        return LabelFacts(notes=("label not loaded yet",))
    return LabelFacts(values=tuple(number(float(one)) for one in numbers.flatten()), notes=("the item's class",))


def layers_of(label: np.ndarray[Any, Any]) -> list[Layer]:
    """Return the layers of a slice of a label (C, rows, columns): its values, or its channels when it has several."""
    if len(label) > 1:
        return [Layer(f"channel {i}", channel > 0.5) for i, channel in enumerate(label[:_MOST_LAYERS])]
    whole = np.rint(np.nan_to_num(label[0])).astype(np.int64)
    return [Layer(str(value), whole == value) for value in np.unique(whole)[: _MOST_LAYERS + 1] if value]


def _of_image(label: torch.Tensor) -> LabelFacts:
    if not label.numel():
        return LabelFacts(notes=("the label is empty",))
    share = float((label != 0).any(dim=0).to(torch.float32).mean())
    notes = (f"{len(label)} channels",) if len(label) > 1 else ()
    low, high = label.aminmax()
    if label.is_floating_point() and not bool((label.isfinite() & (label == label.round())).all()):
        ends = (number(float(low)), number(float(high)))
        return LabelFacts(ends, (share, share), notes, ("the label has values that are no whole numbers",))
    if int(high) - int(low) > _WIDEST:
        found = [int(one) for one in torch.unique(label)]
    else:
        counts = torch.bincount(label.to(torch.int64).flatten() - int(low))
        found = [int(low) + int(one) for one in counts.nonzero().flatten()]
    return LabelFacts(tuple(map(str, found)), (share, share), notes)
