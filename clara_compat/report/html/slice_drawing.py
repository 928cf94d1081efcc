"""A slice with its masks as parts of an SVG drawing: the image once, outlines on top of it, sharp at any size."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clara_compat.report.html.page import data_uri
from clara_compat.report.preview import Layer, Picture

__all__ = ["Drawing", "Overlay", "drawing", "overlay"]

_MOST_STROKES = 6000
"""Of a noisy mask with more straight pieces of outline than this only the area is drawn."""
_FILL = 90
"""Opacity of an area, of 255."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Drawing:
    """An image as the lowest layer of a drawing.

    Args:
        width: in mm.
        height: in mm.
        rows: of pixels.
        columns: of pixels.
        source: the image, as the address of an ``image`` element.
        letters: what is written at the left, right and upper edge.
    """

    width: float
    height: float
    rows: int
    columns: int
    source: str
    letters: tuple[str, str, str] = ("", "", "")

    @property
    def letter_size(self) -> float:
        """Height of the letters, in mm."""
        return 0.07 * max(self.width, self.height)


@dataclass(frozen=True)
class Overlay:
    """What lies on the image, in pixels.

    Args:
        source: coloured areas, as the address of an ``image`` element; empty without any.
        outlines: paths and their colours.
    """

    source: str = ""
    outlines: Sequence[tuple[str, str]] = ()


def drawing(picture: Picture) -> Drawing:
    """Return the image of a slice."""
    low, high = picture.window
    pixels = np.nan_to_num(picture.pixels, nan=low, posinf=high, neginf=low)
    grey = np.rint(np.clip((pixels - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    rows, columns = grey.shape[:2]
    return Drawing(*picture.size, rows, columns, _png(grey), picture.edges)


def overlay(layers: Sequence[Layer], colours: Mapping[str, str]) -> Overlay:
    """Return masks of one shape as coloured areas with outlines; where they overlap, the smaller one is on top.

    Args:
        layers: the masks.
        colours: of the layers by name, such as ``#E69F00``.
    """
    layers = sorted((one for one in layers if one.mask.any()), key=lambda one: -int(one.mask.sum()))
    if not layers:
        return Overlay()
    area = np.zeros((*layers[0].mask.shape, 4), np.uint8)
    for layer in layers:
        area[layer.mask] = (*bytes.fromhex(colours[layer.name][1:]), _FILL)
    paths = [(_outline(layer.mask), colours[layer.name]) for layer in layers]
    return Overlay(_png(area), [(path, colour) for path, colour in paths if path])


def _outline(mask: Array) -> str:
    """Return the edges between the pixels of a mask and the others as an SVG path; empty when there are too many."""
    closed = np.pad(mask.astype(bool), 1)
    strokes: list[str] = []
    for edges, is_row in ((closed[1:] != closed[:-1], True), ((closed[:, 1:] != closed[:, :-1]).T, False)):
        # each line of pixel edges: where a straight piece begins, and where it ends
        changes = np.diff(np.pad(edges.astype(np.int8), ((0, 0), (1, 1))), axis=1)
        starts, ends = np.argwhere(changes == 1), np.argwhere(changes == -1)
        if len(strokes) + len(starts) > _MOST_STROKES:
            return ""
        for (line, start), (_, end) in zip(starts, ends, strict=True):
            place = f"{start - 1} {line}h" if is_row else f"{line} {start - 1}v"
            strokes.append(f"M{place}{end - start}")
    return "".join(strokes)


def _png(values: Array) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(values).save(stream, format="PNG", optimize=True)
    return data_uri(stream.getvalue())
