"""The page as a browser shows it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clara_compat import train

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_FLAGS)
        yield browser
        browser.close()


def test_it_fits_a_telephone_and_a_desk(browser: Any, small_mmar: Callable[..., Path]) -> None:
    path = train(small_mmar()).paths["report"]
    for width in (360, 1280):
        page = browser.new_page(viewport={"width": width, "height": 900})
        told: list[str] = []
        page.on("console", lambda message, told=told: told.append(message.text))
        page.on("pageerror", lambda error, told=told: told.append(str(error)))
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(path.as_uri())
        assert told == []
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") == width
        sizes = page.evaluate("[...document.images].map(one => one.naturalWidth)")
        assert len(sizes) >= 6
        assert min(sizes) > 0
        boxes = page.evaluate(
            "[...document.querySelectorAll('.slices svg')].map(one => one.getBoundingClientRect().height)"
        )
        assert len(boxes) == 4  # image, label, prediction, difference of the only case
        assert min(boxes) > 50
