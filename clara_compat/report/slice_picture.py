"""Draw one slice of an image with its label on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clara_compat.report.preview import Layer, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["PALETTE", "draw_picture"]

PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2")
"""Okabe and Ito's colours, which colour-blind readers can tell apart."""

_FILL = 0.3
_MOST_OUTLINES = 12


def draw_picture(axes: Axes, picture: Picture, colours: Mapping[str, str]) -> None:
    """Draw a slice to scale (mm), each layer of its label filled and outlined.

    Args:
        axes: are made to hold nothing else.
        picture: what to draw.
        colours: of the layers, by name.
    """
    width, height = picture.size
    low, high = picture.window
    pixels = np.nan_to_num(picture.pixels, nan=low, posinf=high, neginf=low)
    if pixels.ndim == 3:
        pixels = np.clip((pixels - low) / (high - low), 0, 1)
    extent = (0, width, height, 0)
    axes.imshow(pixels, cmap="gray", vmin=low, vmax=high, extent=extent)
    layers = [layer for layer in picture.layers if layer.mask.any()]
    if layers:
        axes.imshow(_filled(layers, colours), extent=extent, interpolation="nearest")
    for layer in layers[:_MOST_OUTLINES]:
        _outline(axes, layer.mask, picture.size, colours[layer.name])
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[], aspect="equal", anchor="NW")
    for spine in axes.spines.values():
        spine.set(color="#808080", linewidth=0.5)
    for letter, x, y, aligned in zip(
        picture.edges,
        (0.02, 0.98, 0.5),
        (0.5, 0.5, 0.98),
        (("left", "center"), ("right", "center"), ("center", "top")),
        strict=True,
    ):
        _letter(axes, letter, x, y, aligned)


def _filled(layers: Sequence[Layer], colours: Mapping[str, str]) -> NDArray[Any]:
    """Return the layers as one translucent image; where channels overlap, the smaller one is on top."""
    from matplotlib.colors import to_rgb

    image = np.zeros((*layers[0].mask.shape, 4))
    for layer in sorted(layers, key=lambda layer: -int(layer.mask.sum())):
        image[layer.mask] = (*to_rgb(colours[layer.name]), _FILL)
    return image


def _outline(axes: Axes, mask: NDArray[np.bool_], size: tuple[float, float], colour: str) -> None:
    rows, columns = mask.shape
    dx, dy = size[0] / columns, size[1] / rows
    closed = np.pad(mask, 1).astype(np.float32)  # so that the outline also runs along the border
    x, y = (np.arange(columns + 2) - 0.5) * dx, (np.arange(rows + 2) - 0.5) * dy
    axes.contour(x, y, closed, levels=(0.5,), colors=[colour], linewidths=1.0)


def _letter(axes: Axes, letter: str, x: float, y: float, aligned: tuple[str, str]) -> None:
    from matplotlib.patheffects import withStroke

    if letter:
        axes.text(
            x, y, letter, ha=aligned[0], va=aligned[1], color="white", fontsize=7, transform=axes.transAxes,
            path_effects=[withStroke(linewidth=1.5, foreground="black")],
        )  # fmt: skip
