"""What mkdocs needs beyond the pages in this folder: the API reference, and the texts that lie beside ``docs/``."""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

from api_pages import api_pages  # noqa: E402 -- it lies beside this file

OUTSIDE = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/RESULTS.md": "results.md",
    "notebooks/README.md": "notebooks.md",
}
"""Texts outside ``docs/`` that are pages of the site, by their paths in the project."""

_LINK = re.compile(r"\[([^\]]+)\]\(([^()\s]+)\)")
_FENCE = re.compile(r"(^ *```.*?^ *```)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the API reference to the navigation."""
    config.nav = [*(config.nav or []), {"API": [{one.title: one.path} for one in api_pages()]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not files of ``docs/``."""
    from mkdocs.structure.files import File

    for one in api_pages():
        files.append(File.generated(config, one.path, content=one.text))
    for source, target in OUTSIDE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, target, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let the links of a page, which hold in the project's folder, hold in the site."""
    source = next((one for one, target in OUTSIDE.items() if target == page.file.src_uri), None)
    place = f"docs/{page.file.src_uri}" if source is None else source
    parts = _FENCE.split(markdown)
    return "".join(part if odd % 2 else relinked(part, place, page.file.src_uri) for odd, part in enumerate(parts))


def relinked(markdown: str, place: str, page: str) -> str:
    """Return text whose links to files of the project lead to their pages; those that have none become plain text.

    Args:
        markdown: the text.
        place: path of its file in the project.
        page: path of its page in the site.
    """

    def replaced(found: re.Match[str]) -> str:
        title, (target, sharp, anchor) = found[1], found[2].partition("#")
        if not target or ":" in target:
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(place), target))
        inside = path.removeprefix("docs/") if path.startswith("docs/") else OUTSIDE.get(path)
        if inside is None:
            return title
        return f"[{title}]({posixpath.relpath(inside, posixpath.dirname(page) or '.')}{sharp}{anchor})"

    return _LINK.sub(replaced, markdown)
