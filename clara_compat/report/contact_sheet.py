"""A preview as one picture: items (and their crops) in rows, transforms in columns that wrap to a page's width."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from clara_compat.report.page import Page, line_height
from clara_compat.report.preview import Cell, Column, ItemSteps, Sheet, Stop, number
from clara_compat.report.slice_picture import PALETTE, draw_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_sheet"]

_RANDOM, _WARNING, _QUIET = "#0072B2", "#A63A00", "#606060"
_LARGE, _NORMAL, _SMALL = 12, 8, 7
"""Sizes of texts, in points."""
_LINE, _MARGIN, _GAP = 10.9, 0.25, 0.1
"""Inches; a line of cells fits a landscape A4 page."""
_WIDE, _NARROW = 2.08, 1.1
"""Widths of a column, and of one that changes nothing."""
_SHAPES = (0.45, 1.35)
"""Least and greatest height of a picture's box, in widths."""
_EXPLANATION = (
    "Slices lie across the last axis: the one with the most label. Black and white are the 1st and 99th percentile of "
    "the image; they stay from one transform to the next where these hardly move, so that a small shift shows. A scan "
    "whose header says how it lies is turned once, as a radiologist holds it (R: the patient's right); after that a "
    "flip shows as a flip. Narrow columns: neither image nor label changed."
)
_IN_LEGEND, _LEGEND_COLUMNS = 20, 7


def draw_sheet(sheet: Sheet) -> Figure:
    """Draw a preview.

    Columns of transforms that change nothing in any item are narrow. Five wide ones fill a line of A4; longer chains
    go on in the next line. The page is as long as it must be.
    """
    return _Drawing(sheet).figure()


class _Drawing:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.page = Page(_LINE + 2 * _MARGIN)
        self.colours = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(sheet.layer_names)}
        self.widths = [_WIDE if _is_wide(sheet, index) else _NARROW for index in range(len(sheet.columns))]
        self.titles = [_title(column, width) for column, width in zip(sheet.columns, self.widths, strict=True)]

    def figure(self) -> Figure:
        self.page.top = _MARGIN
        self._paragraph(self.sheet.title, _LARGE, weight="bold")
        self._paragraph(self.sheet.facts, _NORMAL)
        self._legend()
        for item in self.sheet.items:
            self._item(item, self.sheet.stop if item is self.sheet.items[-1] else None)
        self.page.top += 0.12
        self._paragraph(_EXPLANATION, _SMALL, color=_QUIET)
        self.page.top += _MARGIN
        return self.page.figure()

    def _paragraph(self, text: str, size: float, **style: Any) -> None:
        for part in textwrap.wrap(text, int(_LINE / (size * 0.0085))):
            self.page.text(_MARGIN, self.page.top, part, size, **style)
            self.page.top += line_height(size)

    def _legend(self) -> None:
        from matplotlib.patches import Patch

        names = list(self.colours)
        shown = names[:_IN_LEGEND]
        handles = [
            Patch(facecolor=f"{self.colours[name]}4D", edgecolor=self.colours[name], label=_layer_words(name))
            for name in shown
        ]
        if len(names) > len(shown):
            handles.append(Patch(alpha=0, label=f"and {len(names) - len(shown)} more"))
        self.page.top += 0.06
        if handles:
            self.page.legend(_MARGIN, self.page.top, handles=handles, ncols=_LEGEND_COLUMNS, fontsize=_NORMAL)
        self.page.top += 0.18 * -(-len(handles) // _LEGEND_COLUMNS)

    def _item(self, item: ItemSteps, stop: Stop | None) -> None:
        self.page.top += 0.1
        self.page.box(_MARGIN, self.page.top, _LINE, 0.02, _rule)
        self.page.top += 0.06
        made = max((len(cells) for cells in item.steps), default=1)
        drawn = max((len(_shown(cells)) for cells in item.steps), default=1)
        more = f" · {made - drawn} more of its {made} crops are not shown" if made > drawn else ""
        self._paragraph(item.title + more, _NORMAL + 1, weight="bold")
        for line in _lines(self.widths):
            rows = max((len(_shown(item.steps[index])) for index in line if index < len(item.steps)), default=0)
            if stop is not None and stop.step in line:
                rows = max(rows, 1)
            for row in range(rows):
                self._row(item, line, row, stop if row == 0 else None)
        if stop is not None and stop.step >= len(self.sheet.columns):
            self.page.top += 0.05
            self._paragraph(f"The finished item is refused: {stop.reason}", _NORMAL, color=_WARNING)

    def _row(self, item: ItemSteps, line: Sequence[int], row: int, stop: Stop | None) -> None:
        """Draw a row of cells: of whole items and first crops (row 0), or of the crops of that number."""
        self.page.top += 0.06
        cells = {
            index: _shown(item.steps[index])[row]
            for index in line
            if index < len(item.steps) and row < len(_shown(item.steps[index]))
        }
        title = max(self.titles[index].count("\n") + 1 for index in line) * line_height(_NORMAL)
        picture = self.page.top + title + line_height(_SMALL) + 0.03
        heights = {index: self.widths[index] * _shape(cell) for index, cell in cells.items()}
        height = max(heights.values(), default=_WIDE * _SHAPES[0])
        bottom, x = picture, _MARGIN
        for index in line:
            width = self.widths[index]
            if index in cells:
                cell, several = cells[index], len(item.steps[index])
                crop = f"crop {row + 1} of {several}" if several > 1 else ""
                self._heading(x, index, cell, crop, picture - line_height(_SMALL) - 0.03)
                bottom = max(bottom, self._cell(x, picture, width, height if width == _WIDE else heights[index], cell))
            elif stop is not None and index == stop.step:
                self._title(x, index, picture - line_height(_SMALL) - 0.03, color=_WARNING)
                self.page.box(x, picture, width, height, partial(_draw_stop, stop))
                bottom = max(bottom, picture + height)
            x += width + _GAP
        self.page.top = bottom

    def _heading(self, x: float, index: int, cell: Cell, crop: str, below: float) -> None:
        random = self.sheet.columns[index].random
        tags = ["random" if random else "", "" if cell.changed else "unchanged"]
        if self.widths[index] == _WIDE:
            tags.append(crop)
        shade = "black" if cell.changed else _QUIET
        self._title(x, index, below, color=shade)
        told = " · ".join(tag for tag in tags if tag)
        self.page.text(x, below, told, _SMALL, style="italic", color=_RANDOM if random else _QUIET)

    def _title(self, x: float, index: int, bottom: float, color: str) -> None:
        title = self.titles[index]
        top = bottom - (title.count("\n") + 1) * line_height(_NORMAL)
        self.page.text(x, top, title, _NORMAL, weight="bold", color=color)

    def _cell(self, x: float, y: float, width: float, height: float, cell: Cell) -> float:
        """Draw a picture with its texts below and return where they end."""
        if cell.picture is not None:
            self.page.box(x, y, width, height, partial(draw_picture, picture=cell.picture, colours=self.colours))
        y += height + 0.04
        for text, colour in _texts(cell, short=width < _WIDE):
            for part in textwrap.wrap(text, int(width / (_SMALL * 0.0088))):
                self.page.text(x, y, part, _SMALL, color=colour)
                y += line_height(_SMALL)
        return y


def _texts(cell: Cell, *, short: bool) -> list[tuple[str, str]]:
    """Return what stands below a picture, with its colours."""
    if short:
        return [(part, _QUIET) for part in cell.shape_text.split(" ", 1)]
    lines = [cell.shape_text, cell.spacing_text, cell.place]
    if cell.shape:
        lines.append(f"values {cell.range_text}")
    if cell.picture is not None:
        low, high = cell.picture.window
        lines.append(f"black {number(low)}, white {number(high)}")
    lines.append(f"label {cell.label_text}" if cell.values else cell.label_text)
    return [(line, "black") for line in lines if line] + [(warning, _WARNING) for warning in cell.warnings]


def _shown(cells: Sequence[Cell]) -> Sequence[Cell]:
    """Return the cells of a step that are drawn: those with a picture, or one that says there is none."""
    return [cell for cell in cells if cell.picture is not None] or cells[:1]


def _is_wide(sheet: Sheet, index: int) -> bool:
    if index == 0 or (sheet.stop is not None and sheet.stop.step == index):
        return True
    return any(cell.changed for item in sheet.items for cells in item.steps[index : index + 1] for cell in cells)


def _lines(widths: Sequence[float]) -> list[list[int]]:
    """Return the columns of each line."""
    lines: list[list[int]] = []
    left = 0.0
    for index, width in enumerate(widths):
        if not lines or width > left + 1e-6:
            lines.append([])
            left = _LINE
        lines[-1].append(index)
        left -= width + _GAP
    return lines


def _shape(cell: Cell) -> float:
    """Return the height of a picture's box, in widths."""
    least, most = _SHAPES
    return least if cell.picture is None else min(max(least, cell.picture.size[1] / cell.picture.size[0]), most)


def _title(column: Column, width: float) -> str:
    """Return number and name in lines that fit; a long name is broken in front of its aliases, then at its humps."""
    room = int(width / (_NORMAL * 0.0091))
    bare = f"{column.number} "
    lines = [bare]
    for name in re.findall(r"#?[^#]+", column.name):
        whole = len(lines[-1] + name) <= room or (name.startswith("#") and len(name) <= room)
        humps = [name] if whole else re.split(r"(?=[#_])|(?<=[a-z0-9])(?=[A-Z][a-z])", name)
        for part in (part for hump in humps for part in textwrap.wrap(hump, room)):
            if len(lines[-1] + part) <= room or lines == [bare]:
                lines[-1] += part
            else:
                lines.append(part)
    return "\n".join(lines)


def _layer_words(name: str) -> str:
    return f"label {name}" if name.lstrip("-").isdigit() else name


def _rule(axes: Axes) -> None:
    axes.set_axis_off()
    axes.axhline(0, color="black", linewidth=0.8)


def _draw_stop(stop: Stop, axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=_WARNING, linewidth=1.5)
    words = textwrap.wrap(f"failed here: {stop.reason}", 38, max_lines=7, placeholder=" …")
    axes.text(0.04, 0.94, "\n".join(words), va="top", fontsize=_SMALL, color=_WARNING, parse_math=False)
