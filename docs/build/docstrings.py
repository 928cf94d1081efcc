"""Docstrings as the site shows them: roles become links, and what is for readers of the code is left out."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import griffe
from api_pages import api_pages

_ROLE = re.compile(r":\w+:`(~?)([^`]+)`")
_SOURCE = re.compile(r"\bSources?: .*?(?=\n\n|\Z)", re.DOTALL)
_ASIDE = re.compile(r"\s*\([^()]*\bclara-3\.1\b[^()]*\)")
_SENTENCE = re.compile(
    r"(?:(?<=[.;:] )|(?<=\n)|^)[^.;\n]*(?:\n[^.;\n]+)*?\bclara-3\.1\b[^\n]*(?:\n(?!\n)[^\n]+)*", re.MULTILINE
)
_LITERAL = re.compile(r"::(?=\n\n +\S)")
_EXAMPLE = re.compile(r"^( *)(Examples?)::$", re.MULTILINE)


class ForReaders(griffe.Extension):
    """Rewrites every docstring of the package when it is loaded."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Rewrite what the package and everything in it say."""
        _rewrite(pkg)


def rewritten(text: str, scope: griffe.Object | None = None) -> str:
    """Return a docstring as Markdown.

    Args:
        text: the docstring.
        scope: whose it is; names in roles are looked up there.
    """
    text = _SOURCE.sub("", text)
    text = _ASIDE.sub("", text)
    text = _SENTENCE.sub("", text)
    text = _EXAMPLE.sub(r"\1**\2:**", text)
    text = _LITERAL.sub(":", text)
    return _ROLE.sub(lambda found: _linked(found[2], bool(found[1]), scope), text).strip()


def _rewrite(obj: griffe.Object) -> None:
    if obj.docstring is not None:
        obj.docstring.value = rewritten(obj.docstring.value, obj)
    for member in obj.members.values():
        if not member.is_alias:
            _rewrite(member)  # type: ignore[arg-type]


def _linked(target: str, short: bool, scope: griffe.Object | None) -> str:
    """Return a link where the target has a page, else its name as code."""
    title = target.rpartition(".")[2] if short else target
    path = target
    if not target.startswith("clara_compat.") and scope is not None:
        path = _resolved(target, scope)
    return f"[`{title}`][{path}]" if path and _has_page(path) else f"`{title}`"


def _resolved(name: str, scope: griffe.Object) -> str:
    first, _, rest = name.partition(".")
    try:
        found = scope.resolve(first)
    except griffe.NameResolutionError:
        return ""
    return f"{found}.{rest}" if rest else found


def _has_page(path: str) -> bool:
    return any(path == name or path.startswith(f"{name}.") for name in _documented())


@cache
def _documented() -> tuple[str, ...]:
    return tuple(name for page in api_pages() for name in page.names)
