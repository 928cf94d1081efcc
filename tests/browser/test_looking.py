"""The eye itself: it sees each kind of fault in a page that has it, and none in a page that has none."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

LookAt = Callable[..., list[str]]

LONG = "W" * 400


def picture(width: int) -> str:
    stream = io.BytesIO()
    Image.fromarray(np.zeros((10, width, 3), np.uint8)).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def page(folder: Path, body: str, head: str = "") -> Path:
    file = folder / "page.html"
    start = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
    start += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    file.write_text(f"{start}{head}</head><body>{body}</body></html>", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "body",
    [
        "<h1>A page</h1><p>Words that wrap as they should, " + "again and again, " * 50 + "until the end.</p>",
        f'<img src="{picture(2000)}" style="max-width:100%" alt="black">',
        f'<div style="overflow-x:auto"><table><tr><td>{LONG}</td><td>{LONG}</td></tr></table></div>',
        f'<pre style="overflow:auto">{LONG}</pre>',
        f'<p style="overflow-wrap:anywhere">{LONG}</p>',
        f'<p style="width:9em;overflow:hidden;text-overflow:ellipsis;white-space:nowrap" title="{LONG}">{LONG}</p>',
        f"<details><summary>More</summary><p style='overflow-wrap:anywhere'>{LONG}</p></details>",
        f"<p>Shown</p><p hidden>{LONG}</p>",
        f'<p>Shown</p><span style="position:absolute;width:1px;height:1px;overflow:hidden">{LONG}</span>',
        '<p>A chart</p><svg viewBox="0 0 10 10" width="100"><text x="900" y="5">outside</text></svg>',
        '<p id="a">A place</p><a href="#a">to it</a> <a href="https://example.org/page">and elsewhere</a>',
        "<p id='p'></p><script>document.getElementById('p').textContent = 'written by a script';</script>",
        "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
    ],
)
def test_nothing_is_said_of_a_good_page(tmp_path: Path, look_at: LookAt, body: str) -> None:
    assert look_at(page(tmp_path, body)) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<p>a</p><script>nothing.here()</script>", "script error: .*nothing is not defined"),
        ("<p>a</p><script>console.error('went wrong')</script>", "console error: went wrong"),
        ("<p>a</p><script>alert('ran')</script>", "a dialog: ran"),
        ('<p>a</p><img src="https://example.org/a.png" alt="a">', "the page asks for https://example.org/a.png"),
        ('<p>a</p><img src="beside.png" alt="a">', "the page asks for file:///.*beside.png"),
        ('<p>a</p><script src="http://localhost:1/x.js"></script>', "the page asks for http://localhost:1/x.js"),
        ("<p>a</p><script>fetch('https://example.org/told?a=1')</script>", "asks for https://example.org/told"),
        ("<p>a</p><script>new WebSocket('wss://example.org/s')</script>", "the page asks for wss://example.org/s"),
        ('<p style="background:url(https://example.org/b.png)">a</p>', "the page asks for https://example.org/b.png"),
        ('<p>a</p><iframe src="https://example.org/frame"></iframe>', "the page asks for https://example.org/frame"),
        ('<p>a</p><img src="data:image/png;base64,AAAA" alt="a">', "an image did not load: data:image/png"),
        ('<p>a</p><img alt="a">', "an image did not load: no src"),
        ("", "nothing is shown"),
        ('<div style="width:3000px">a</div>', "the page is 3... px wide"),
        ('<div style="width:3000px">a</div>', "<div> 'a' reaches to 30.. px"),
        ('<p style="margin-left:-50px">far left</p>', "<p> 'far left' begins at -.. px"),
        (f'<p>a</p><img src="{picture(2000)}" alt="a" class="big">', "<img.big> reaches to 20.. px"),
        ('<table class="t"><tr>' + "<td>a_long_name_of_a_thing</td>" * 20 + "</tr></table>", "<table.t> .* reaches to"),
        (f'<div style="overflow:hidden"><p>{LONG}</p></div>', "the text of <div> 'WWW.*' is cut off"),
        ('<p style="height:1em;overflow:hidden">one<br>two<br>three</p>', "the text of <p> 'one.*' is cut off"),
        ('<p style="width:2em;overflow:hidden;white-space:nowrap">some words</p>', "the text of <p> .* is cut off"),
        ('<p style="width:3em">unbreakable_name</p>', "the text of <p> 'unbreakable_name' runs out of its box"),
        ('<p style="width:3em"><b>unbreakable_name</b></p>', "the text of <b> 'unbreakable_name' runs out of its box"),
        (
            '<table style="table-layout:fixed;width:9em"><tr><td>unbreakable_name</td><td>next</td></tr></table>',
            "the text of <td> 'unbreakable_name' runs out of its box",
        ),
        (f"<details><summary>More</summary><p>{LONG}</p></details>", "<p> 'W*' reaches to|runs out of its box"),
    ],
)
def test_each_fault_is_seen_at_both_widths(tmp_path: Path, look_at: LookAt, body: str, said: str) -> None:
    told = look_at(page(tmp_path, body))
    for width in (360, 1280):
        assert any(re.match(f"{width} px: .*(?:{said})", one) for one in told), told


def test_what_only_a_telephone_shows(tmp_path: Path, look_at: LookAt) -> None:
    told = look_at(page(tmp_path, '<div style="width:900px">a</div>'))
    assert told
    assert all(one.startswith("360 px: ") for one in told)


@pytest.mark.parametrize("rel", ["preconnect", "dns-prefetch", "stylesheet", "icon"])
def test_links_that_ask(tmp_path: Path, look_at: LookAt, rel: str) -> None:
    told = look_at(page(tmp_path, "<p>a</p>", f'<link rel="{rel}" href="https://example.org/x">'))
    assert f'360 px: <link rel="{rel}"> asks for https://example.org/x' in told


def test_many_faults_of_a_kind_are_counted(tmp_path: Path, look_at: LookAt) -> None:
    body = "".join(f'<p style="width:3000px">{number}</p>' for number in range(40))
    told = look_at(page(tmp_path, body), widths=(360,))
    assert "360 px: ... and 35 more like the last" in told
    assert len(told) < 10
