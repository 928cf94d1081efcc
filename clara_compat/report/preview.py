"""What a transform chain made of some items, step by step, as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Cell", "Column", "ItemSteps", "Layer", "Picture", "Sheet", "Stop", "number", "rank", "together"]

_MOST_VALUES = 8
"""Label values that are spelled out."""


@dataclass(frozen=True)
class Layer:
    """One label value (or one channel of a label) in a slice.

    Args:
        name: the value as text, or ``channel 2``.
        mask: where it is (rows, columns), bool.
    """

    name: str
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Picture:
    """One slice of an image with its label, row 0 on top.

    Args:
        pixels: (rows, columns) of grey values, or (rows, columns, 3) of red, green and blue.
        size: width and height in mm.
        window: the values drawn black and white.
        layers: the label; its masks cover the picture whatever their grid.
        edges: anatomical letters of the left, right and upper edge; empty where nothing is known.
    """

    pixels: NDArray[np.floating]
    size: tuple[float, float]
    window: tuple[float, float]
    layers: Sequence[Layer] = ()
    edges: tuple[str, str, str] = ("", "", "")


@dataclass(frozen=True)
class Cell:
    """An item, or one crop of it, after a transform.

    Args:
        shape: of the image, in the order of ``layout``; empty while there is no image.
        layout: one letter per axis, such as ``CDHW``.
        spacing: mm per spatial axis.
        spacing_note: why the spacing is no length, or an empty text.
        low: smallest value of the image.
        high: largest value.
        values: of the label, as texts in their order; of a class label, the class.
        share: fraction of the label that is not 0, smallest and largest of the crops; None where it is no image.
        label_note: what else is to be said of the label.
        place: which slice and channel the picture shows, in words.
        warnings: what is suspicious about the values.
        changed: the transform changed the image, its place, or the label.
        picture: what is drawn, or None.
    """

    shape: tuple[int, ...] = ()
    layout: str = ""
    spacing: tuple[float, ...] = ()
    spacing_note: str = ""
    low: float = float("nan")
    high: float = float("nan")
    values: tuple[str, ...] = ()
    share: tuple[float, float] | None = None
    label_note: str = ""
    place: str = ""
    warnings: tuple[str, ...] = ()
    changed: bool = True
    picture: Picture | None = None

    @property
    def shape_text(self) -> str:
        """Layout and shape, such as ``CDHW 1×96×96×96``."""
        return f"{self.layout} {'×'.join(map(str, self.shape))}" if self.shape else "no image"

    @property
    def spacing_text(self) -> str:
        """The spacing with its unit."""
        if not self.spacing:
            return ""
        return " × ".join(map(number, self.spacing)) + (f" ({self.spacing_note})" if self.spacing_note else " mm")

    @property
    def range_text(self) -> str:
        """Smallest and largest value."""
        return f"{number(self.low)} … {number(self.high)}" if self.shape else ""

    @property
    def label_text(self) -> str:
        """The values of the label, how much of it is not 0, and what else is to be said of it."""
        shown = ", ".join(self.values[:_MOST_VALUES])
        if len(self.values) > _MOST_VALUES:
            shown += f" … {self.values[-1]} ({len(self.values)} values)"
        percent = ""
        if self.share is not None:
            low, high = (number(100 * one, 2) for one in self.share)
            percent = f"{low} % foreground" if low == high else f"{low} to {high} % foreground"
        return " · ".join(part for part in (shown, percent, self.label_note) if part)


@dataclass(frozen=True)
class Column:
    """A transform of the chain.

    Args:
        number: its place in the chain, from 1.
        name: as the config calls it.
        random: it draws random numbers.
    """

    number: int
    name: str
    random: bool = False


@dataclass
class ItemSteps:
    """What became of one item.

    Args:
        title: the item in words.
        steps: for each transform that was run, the item's cells: one, or one per crop.
    """

    title: str
    steps: list[list[Cell]] = field(default_factory=list)


@dataclass(frozen=True)
class Stop:
    """Where the chain broke.

    Args:
        step: index of the column; the number of columns when the finished item was refused.
        reason: one sentence.
    """

    step: int
    reason: str


@dataclass
class Sheet:
    """Everything that a preview shows.

    Args:
        title: what it is a preview of.
        facts: section, seed, epoch and so on, in words.
        columns: the transforms.
        items: at least one.
        stop: where the last item broke, or None.
    """

    title: str
    facts: str
    columns: list[Column]
    items: list[ItemSteps] = field(default_factory=list)
    stop: Stop | None = None

    @property
    def layer_names(self) -> list[str]:
        """Names of all layers, numbers in their order."""
        found = {
            layer.name
            for item in self.items
            for cells in item.steps
            for cell in cells
            if cell.picture is not None
            for layer in cell.picture.layers
        }
        return sorted(found, key=rank)


def number(value: float, digits: int = 4) -> str:
    """Return a number in few digits, never in powers of ten where it is large."""
    return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def together(cells: Sequence[Cell]) -> Cell:
    """Return one cell that speaks for all crops of an item; it has no picture."""
    shares = [cell.share for cell in cells if cell.share is not None]
    return replace(
        cells[0],
        low=min(cell.low for cell in cells),
        high=max(cell.high for cell in cells),
        values=tuple(sorted({value for cell in cells for value in cell.values}, key=rank)),
        share=(min(low for low, _ in shares), max(high for _, high in shares)) if shares else None,
        warnings=tuple(dict.fromkeys(warning for cell in cells for warning in cell.warnings)),
        changed=any(cell.changed for cell in cells),
        picture=None,
    )


def rank(name: str) -> tuple[Any, ...]:
    """Return what sorts texts of numbers, and texts that end in numbers, in the numbers' order."""
    last = name.rpartition(" ")[2]
    try:
        return (name != last, float(last), name)
    except ValueError:
        return (True, float("inf"), name)
