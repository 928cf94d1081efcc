from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from clara_compat.report.html.page import _environment, data_uri, render, write_page

HOSTILE = "<script>alert(1)</script>\"'&</style><img src=http://example.org>"


def test_values_are_escaped() -> None:
    page = render("base.html.j2", title=HOSTILE, made=HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;&lt;/style&gt;") == 2


def test_every_template_escapes() -> None:
    environment = _environment()
    assert environment.autoescape is True
    for name in environment.list_templates(extensions=["j2"]):
        source = environment.loader.get_source(environment, name)[0]
        assert not re.search(r"\|\s*safe|Markup|autoescape", source), name


def test_a_page_asks_for_nothing() -> None:
    page = render("base.html.j2", title="t", made="m")
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|//[a-z]|@import|url\(|<script|src=", page)
    assert re.findall(r'href="([^"]*)"', page) == ["data:,"]


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="'made' is undefined"):
        render("base.html.j2", title="t")


def test_data_uri() -> None:
    uri = data_uri(b"\x89PNG\x00")
    assert uri.startswith("data:image/png;base64,")
    assert base64.b64decode(uri.partition(",")[2]) == b"\x89PNG\x00"


def test_write_page_writes_what_utf_8_cannot_say(tmp_path: Path) -> None:
    write_page(tmp_path / "new" / "page.html", "é\ud800<p>")
    assert (tmp_path / "new" / "page.html").read_text(encoding="utf-8") == "é?<p>"


def test_a_page_is_whole_or_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_page(path, "old")
    with pytest.raises(AttributeError):
        write_page(path, None)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
