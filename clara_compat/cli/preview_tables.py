"""A preview as text, for terminals that show no pictures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clara_compat.report.preview import together

if TYPE_CHECKING:
    from clara_compat.report.preview import Cell, ItemSteps, Sheet
    from clara_compat.run.preview import PreviewResult

__all__ = ["print_preview"]


def print_preview(result: PreviewResult) -> None:
    """Print a table for each item, a line for each transform, and where the picture is."""
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(f"{result.sheet.title} · {result.sheet.facts}", markup=False, highlight=False)
    for item in result.sheet.items:
        if item.steps:
            console.print(_table(item, result.sheet))
    if result.path is not None:
        console.print(f"Picture: {result.path}", markup=False, highlight=False, soft_wrap=True)


def _table(item: ItemSteps, sheet: Sheet) -> Table:
    table = Table(
        "", "transform", "shape", "spacing", "values", "label", "", title=escape(item.title), title_justify="left"
    )
    for column, cells in zip(sheet.columns, item.steps, strict=False):
        cell = together(cells)
        shape = f"{len(cells)} crops of {cell.shape_text}" if len(cells) > 1 else cell.shape_text
        table.add_row(
            str(column.number),
            escape(column.name),
            shape,
            escape(cell.spacing_text),
            cell.range_text,
            escape(cell.label_text),
            _remarks(cell, random=column.random),
        )
    return table


def _remarks(cell: Cell, *, random: bool) -> str:
    words = [*(["random"] if random else []), *([] if cell.changed else ["unchanged"])]
    return ", ".join(words + [f"[red]{escape(warning)}[/]" for warning in cell.warnings])
