"""Tables of figures, for a terminal and for ``benchmarks/RESULTS.md``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESULTS = Path(__file__).with_name("RESULTS.md")
_TITLES = {"cpu": "## Speed of training on a CPU", "cuda": "## Speed of training on a GPU"}


@dataclass(frozen=True)
class Table:
    """Figures.

    Args:
        title: what they are.
        header: of the columns.
        rows: the cells.
        note: a sentence below them.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    note: str = ""

    def lines(self) -> list[str]:
        """Return the table in Markdown, its columns of equal width, and the note."""
        cells = [self.header, *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.header))]
        first, *others = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
        note = ["", self.note] if self.note else []
        return [first, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *others, *note]

    def show(self) -> None:
        """Print the table."""
        print("\n".join([self.title, *self.lines(), ""]), flush=True)


def as_markdown(device: str, facts: Mapping[str, str], tables: Sequence[Table]) -> str:
    """Return the section of a run.

    Args:
        device: ``cpu`` or ``cuda``.
        facts: what the figures belong to.
        tables: the figures.
    """
    told = [f"- {name}: {f'`{value}`' if name == 'command' else value}" for name, value in facts.items()]
    shown = [line for table in tables for line in ("", f"### {table.title}", "", *table.lines())]
    return "\n".join([_TITLES[device], "", *told, *shown, ""])


def replaced_section(text: str, section: str) -> str:
    """Return a page with a section in place of the one of the same title, or at its end.

    Args:
        text: of the page.
        section: begins with its title, ``## ...``.
    """
    title = section.partition("\n")[0]
    old = re.compile(rf"^{re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    new = old.sub(lambda _: section + "\n", text) if old.search(text) else f"{text.rstrip()}\n\n{section}\n"
    return new.rstrip() + "\n"
