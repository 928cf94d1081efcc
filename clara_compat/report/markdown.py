"""Pieces of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["code_span", "escaped", "link", "prose", "table"]


def link(title: str) -> str:
    """Return a link to a heading of the same page."""
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    return ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]


def code_span(text: str) -> str:
    """Return code on one line, whatever is in it; a table takes a pipe in it for a border unless it is escaped."""
    line = re.sub(r"\s", " ", text).replace("|", r"\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if len(fence) > 1 else ""  # a backtick at an end would belong to the fence
    return f"{fence}{space}{line}{space}{fence}"


def prose(text: str) -> str:
    """Return a docstring's text as Markdown: roles and double backticks become code, the rest means itself."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"``\1``", " ".join(text.split()))
    parts = re.split(r"``(.*?)``", text)
    return "".join(code_span(part) if odd % 2 else escaped(part) for odd, part in enumerate(parts))


def escaped(text: str) -> str:
    """Return text that means itself; a word may hold underscores."""
    text = re.sub(r"([\\`*<|\[\]~])", r"\\\1", text)
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
