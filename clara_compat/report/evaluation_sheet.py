"""The worst, the median and the best case of an evaluation in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from clara_compat.report.page import Page, line_height
from clara_compat.report.preview import Picture
from clara_compat.report.slice_picture import PALETTE, draw_picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "ShownCase", "draw_cases"]

COLOURS = {"prediction": PALETTE[1], "label": PALETTE[0]}
"""Colours of the layers, by their names."""

_LARGE, _NORMAL, _SMALL = 12, 9, 8
_WIDTH, _GAP, _MARGIN = 3.4, 0.15, 0.25
_MOST_HEIGHT = 4.5
_EXPLANATION = (
    "Each slice is the one of its case with most prediction and label. Where the scan says how it lies, it is shown as "
    "a radiologist holds it (R: the patient's right)."
)


@dataclass(frozen=True)
class ShownCase:
    """A case.

    Args:
        rank: ``worst``, ``median`` or ``best``.
        name: of the case.
        value: its metric, as text.
        place: which slice it is.
        picture: the slice with the layers ``prediction`` and ``label``.
    """

    rank: str
    name: str
    value: str
    place: str
    picture: Picture


def draw_cases(title: str, cases: Sequence[ShownCase]) -> Figure:
    """Draw cases side by side.

    Args:
        title: what is shown.
        cases: one to three of them.
    """
    from matplotlib.patches import Patch

    page = Page(2 * _MARGIN + 3 * _WIDTH + 2 * _GAP)
    page.top = _MARGIN
    page.text(_MARGIN, page.top, title, _LARGE, weight="bold")
    page.top += line_height(_LARGE) + 0.05
    handles = [Patch(facecolor=f"{c}4D", edgecolor=c, label=name) for name, c in COLOURS.items()]
    page.legend(_MARGIN, page.top, handles=handles, ncols=2, fontsize=_NORMAL)
    page.top += 0.3
    below = page.top + 2 * line_height(_NORMAL) + 0.05
    height = max(min(_WIDTH * case.picture.size[1] / case.picture.size[0], _MOST_HEIGHT) for case in cases)
    for index, case in enumerate(cases):
        x = _MARGIN + index * (_WIDTH + _GAP)
        page.text(x, page.top, f"{case.rank}: {case.value}", _NORMAL, weight="bold")
        page.text(x, page.top + line_height(_NORMAL), f"{_short(case.name)} · {case.place}", _NORMAL)
        page.box(x, below, _WIDTH, height, partial(draw_picture, picture=case.picture, colours=COLOURS))
    page.top = below + height + 0.1
    page.text(_MARGIN, page.top, _EXPLANATION, _SMALL, color="#606060")
    page.top += line_height(_SMALL) + _MARGIN
    return page.figure()


def _short(name: str) -> str:
    return name if len(name) <= 30 else f"…{name[-29:]}"
