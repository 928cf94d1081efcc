"""A page that is filled from top to bottom, in inches, and is as long as what stands on it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.common.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Page", "line_height", "save_png"]

_LONGEST_SIDE = 40_000
"""Pixels at most; the library draws up to 65536."""
_DPI = 150


class Page:
    """Keeps what is to be drawn until the length is known.

    Places are inches from the upper left corner.

    Args:
        width: in inches.
    """

    def __init__(self, width: float) -> None:
        self.width = width
        self.top = 0.0
        """Where the next thing goes."""
        self._later: list[Callable[[Figure], Any]] = []

    def text(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        """Write a text of ``size`` points with its upper left corner at ``(x, y)``."""
        self._later.append(partial(self._text, x, y, text, fontsize=size, **style))

    def box(self, x: float, y: float, width: float, height: float, draw: Callable[[Axes], Any]) -> None:
        """Let ``draw`` fill axes with their upper left corner at ``(x, y)``."""
        self._later.append(partial(self._box, x, y, width, height, draw))

    def legend(self, x: float, y: float, **options: Any) -> None:
        """Place a legend with its upper left corner at ``(x, y)``."""
        self._later.append(partial(self._legend, x, y, **options))

    def figure(self) -> Figure:
        """Draw everything, down to ``top``."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(self.width, self.top))
        FigureCanvasAgg(figure)
        for draw in self._later:
            draw(figure)
        return figure

    def _text(self, x: float, y: float, text: str, figure: Figure, **style: Any) -> None:
        # A "$" in a user's name is no mathematics.
        figure.text(x / self.width, 1 - y / self.top, text, va="top", parse_math=False, **style)

    def _box(
        self, x: float, y: float, width: float, height: float, draw: Callable[[Axes], Any], figure: Figure
    ) -> None:
        place = (x / self.width, 1 - (y + height) / self.top, width / self.width, height / self.top)
        draw(figure.add_axes(place))

    def _legend(self, x: float, y: float, figure: Figure, **options: Any) -> None:
        corner = (x / self.width, 1 - y / self.top)
        figure.legend(loc="upper left", bbox_to_anchor=corner, borderaxespad=0, borderpad=0, frameon=False, **options)


def line_height(size: float) -> float:
    """Return the inches a line of text of ``size`` points takes."""
    return size * 1.3 / 72


def save_png(path: Path, figure: Figure) -> None:
    """Write a figure; the file appears whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path) as stream, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        figure.savefig(stream, format="png", dpi=min(_DPI, _LONGEST_SIDE / max(figure.get_size_inches())))
