"""Pages made of the templates beside this module."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.common.files import replacing
from clara_compat.errors import ClaraError

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["data_uri", "render", "write_page"]


def render(template: str, **content: Any) -> str:
    """Fill a template and return the page.

    Every value is escaped, whatever it holds: names, arguments and file names come from strangers. A value that the
    template names and ``content`` lacks is an error.

    Args:
        template: a file beside this module that extends ``base.html.j2``: ``migration.html.j2``.
        content: what the template names. The base needs ``title``, and ``made``, the line at the end of the page.
    """
    return _environment().get_template(template).render(**content)


def data_uri(png: bytes) -> str:
    """Return a picture as the ``src`` of an ``img``, so that the page needs no other file."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def write_page(path: Path, html: str) -> None:
    """Write a page, whole or not at all. What UTF-8 cannot say (half a surrogate pair) becomes a question mark.

    Raises:
        ClaraError: the name is that of something else, such as the weights beside the page.
    """
    if path.suffix.lower() not in (".html", ".htm") and not path.is_dir():
        raise ClaraError(f"the report is a page, and '{path}' is no name of one: let it end in .html")
    with replacing(path) as stream:
        stream.write(html.encode("utf-8", "replace"))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("clara_compat.report.html", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
