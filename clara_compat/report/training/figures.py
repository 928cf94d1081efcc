"""Figures as SVG files: small, sharp at any size, and the same every time."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["new_figure", "plain_text", "svg_of", "thinned"]

_LONGEST_NAME = 40
_RULES: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: smaller, and in the reader's font
    "svg.hashsalt": "clara_compat",
    "text.parse_math": False,  # a "$" in a user's name is no mathematics
    "font.size": 9,
    "axes.titlesize": 10,
    "legend.fontsize": 8,
    "legend.framealpha": 0.85,
}


@contextmanager
def new_figure(width: float = 4.8, height: float = 2.9) -> Iterator[Figure]:
    """Give a figure, its size in inches; it must be drawn and saved in the block, which sets the rules."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_RULES), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in a script that the font lacks
        yield Figure(figsize=(width, height), layout="constrained")


def svg_of(figure: Figure) -> bytes:
    """Return a figure as an SVG file."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def plain_text(text: str) -> str:
    """Return a stranger's name as one that a figure can hold: short, printable, and not hidden from a legend."""
    shown = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    if len(shown) > _LONGEST_NAME:
        shown = f"{shown[:_LONGEST_NAME]}…"
    return f" {shown}" if shown.startswith("_") else shown


def thinned(places: list[int], values: list[float], most: int = 400) -> tuple[list[int], list[float]]:
    """Return a line with fewer points that looks the same: of each stretch the lowest and the highest value.

    Args:
        places: in rising order.
        values: at those places.
        most: points that may be left, about.
    """
    if len(places) <= most:
        return places, values
    length = -(-2 * len(places) // most)
    kept = {0, len(places) - 1}
    for start in range(0, len(places), length):
        stretch = range(start, min(start + length, len(places)))
        kept |= {min(stretch, key=values.__getitem__), max(stretch, key=values.__getitem__)}
    return [places[index] for index in sorted(kept)], [values[index] for index in sorted(kept)]
