"""Pages in a real browser: Chromium as it is installed, headless, driven by playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (360, 1280)
"""A telephone and a desk, in CSS pixels."""

LookAt = Callable[..., list[str]]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    *("--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-domain-reliability"),
)
_SCRIPT = (Path(__file__).parent / "look.js").read_text(encoding="utf-8")
_SETTLE = """async () => {
    window.scrollTo(0, document.documentElement.scrollHeight);  // some images load only when they come into sight
    await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}"""
_UNFOLD = """() => {
    const folded = document.querySelectorAll("details:not([open])");
    folded.forEach((one) => { one.open = true; });
    return folded.length;
}"""
_MOST = 5
"""How many findings of a kind are told."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, started for the tests of a module; skips, with the reason, where none is installed.

    Not for a session: until it ends, playwright keeps an event loop in this thread, and ``asyncio.run`` of other tests
    would refuse to run.
    """
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(f"no browser is installed ({', '.join(_NAMES)}): see .ci/browser")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright, which drives the browser, is missing")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=program, args=[*_FLAGS, *(["--no-sandbox"] if is_root else [])], timeout=60_000
        )
        yield started
        started.close()


@pytest.fixture
def look_at(browser: Browser) -> LookAt:
    """Open a page of this machine at each width, and say what is wrong with it.

    ``look_at(file)`` returns sentences, each with its width: errors and messages of scripts, everything the page asks
    for besides itself (nothing gets out), images that did not load, what is wider than the window and in no box that
    scrolls, and text that is cut off or runs out of its box. Folded details are looked at open, too.
    """

    def look(file: Path, widths: tuple[int, ...] = WIDTHS) -> list[str]:
        return [f"{width} px: {problem}" for width in widths for problem in _problems(browser, file, width)]

    return look


def _problems(browser: Browser, file: Path, width: int) -> list[str]:
    address = file.resolve().as_uri()
    problems: list[str] = []

    def asked(url: str) -> None:
        if url.partition("#")[0] != address and not url.startswith(("data:", "blob:", "about:")):
            problems.append(f"the page asks for {url[:120]}")

    context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
    try:
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
        page.on("dialog", lambda dialog: (problems.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda said: problems.append(f"console {said.type}: {said.text}") if _bad(said.type) else 0)
        page.on("request", lambda request: asked(request.url))
        page.on("websocket", lambda socket: asked(socket.url))
        page.goto(address, wait_until="load", timeout=60_000)
        problems += _seen(page)
        if page.evaluate(_UNFOLD):
            problems += _seen(page)
    finally:
        context.close()
    return list(dict.fromkeys(problems))


def _bad(kind: str) -> bool:
    return kind in ("error", "warning", "assert")


def _seen(page: Page) -> list[str]:
    page.evaluate(_SETTLE)
    found: list[str] = page.evaluate(_SCRIPT, _MOST)
    return found
