"""The documentation builds strictly into a site that asks nothing of the network, and its API reference is complete."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from clara_compat.config.workflow import load_train_workflow
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.train import translate_train

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}

site_builds = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("mkdocs", "material", "mkdocstrings")),
    reason="mkdocs-material or mkdocstrings is not installed: pip install '.[docs]'",
)


@pytest.fixture(scope="module")
def api_pages() -> Iterator[ModuleType]:
    folder = str(ROOT / "docs" / "build")
    sys.path.insert(0, folder)
    yield import_module("api_pages")
    sys.path.remove(folder)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def documented(api_pages: ModuleType) -> list[str]:
    return [name for page in api_pages.api_pages() for name in page.names]


def test_what_is_public_in_the_engine_is_on_a_page_once(api_pages: ModuleType) -> None:
    engine = ROOT / "clara_compat" / "engine"
    public = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in engine.rglob("*.py")
        if not path.stem.startswith("_")
    }
    names = documented(api_pages)
    assert public <= set(names)
    assert len(names) == len(set(names))


def test_what_is_exported_and_what_user_code_derives_from_is_on_a_page(api_pages: ModuleType) -> None:
    import clara_compat

    names = documented(api_pages)
    for name, home in clara_compat._HOMES.items():
        assert (f"{home}.{name}" in names) != (home in names), f"{name} is on one page"
    for path in ("models.model", "losses.loss", "metrics.metric", "metrics.metric_list", "optimizers.optimizer"):
        assert f"clara_compat.components.{path}" in names
    for path in ("transforms.multi_field_transformer", "lr_policies.lr_policy", "aux_ops.aux_op"):
        assert f"clara_compat.components.{path}" in names
    assert "clara_compat.common.medical_image" in names


def targets(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["_target_"]] if "_target_" in value else []
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from targets(item)


@pytest.mark.parametrize("name", ["demo_mmar", "demo_tensorflow", "demo_classification_2d"])
def test_what_a_bundle_points_at_is_on_a_page(name: str, api_pages: ModuleType) -> None:
    mmar = ROOT / "configs" / name
    overrides = ["DATA_ROOT=/data", "DATASET_JSON=/data/dataset.json"]
    workflow = load_train_workflow(mmar / "config/config_train.json", mmar=mmar, overrides=overrides)
    config = translate_train(workflow, seeds_of(workflow.settings.determinism), mmar / "models", None).config
    ours = {target for target in targets(config) if target.startswith("clara_compat.")}
    assert ours
    assert {target.rpartition(".")[0] for target in ours} <= set(documented(api_pages))


def test_every_page_has_its_blocks(api_pages: ModuleType) -> None:
    pages = api_pages.api_pages()
    assert pages[0].path == "api/index.md"
    for page in pages[1:]:
        assert page.names, page.path
        assert page.path.removeprefix("api/") in pages[0].text
        for name in page.names:
            assert f"\n::: {name}\n" in page.text


@pytest.mark.skipif(find_spec("griffe") is None, reason="griffe is not installed: pip install '.[docs]'")
def test_docstrings_are_shown_without_what_is_for_readers_of_the_code(api_pages: ModuleType) -> None:
    rewritten = import_module("docstrings").rewritten
    assert rewritten("Do it (clara-3.1 engine facts, section 2.8).\n\nSource: a page.") == "Do it."
    assert rewritten("It stays. Names: clara-3.1 facts, 1.") == "It stays."
    assert rewritten("See :meth:`run` of :class:`~torch.nn.Module`.") == "See `run` of `Module`."
    path = "clara_compat.common.medical_image.MedicalImage"
    assert rewritten(f"A :class:`~{path}`.") == f"A [`MedicalImage`][{path}]."
    assert rewritten("In step t::\n\n    w -= g") == "In step t:\n\n    w -= g"
    assert rewritten("Do.\n\nExample::\n\n    f()") == "Do.\n\n**Example:**\n\n    f()"


class _Loaded(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") == "canonical":
            return
        self.found += [value for name, value in given.items() if LOADS.get(tag) == name and value]


@pytest.mark.slow
@site_builds
def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    for path in pages:
        text = path.read_text(encoding="utf-8")
        parser = _Loaded()
        parser.feed(text)
        assert parser.found, path
        assert [one for one in parser.found if re.match(r"(https?:)?//", one)] == [], path
        for word in (str(ROOT), str(Path.home()) + "/", "clara-3.1", ":class:", ":meth:", ":func:"):
            assert word not in text, (path.name, word)
    for path in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import )['\"]?https?:", path.read_text(encoding="utf-8")), path
    assert not (site / "build").exists()


@pytest.mark.slow
@site_builds
@pytest.mark.skipif(CHROMIUM is None or find_spec("playwright") is None, reason="no Chromium, or no playwright")
def test_a_browser_opens_and_searches_it_as_files(site: Path) -> None:
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    errors: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width in (1280, 400):
            tab = browser.new_page(viewport={"width": width, "height": 900})
            tab.on("request", lambda request: asked.append(request.url))
            tab.on("pageerror", lambda error: errors.append(str(error)))
            for name in ("index", "migration/config", "migration/porting-your-code", "api/engine-transforms"):
                tab.goto((site / f"{name}.html").as_uri())
                tab.wait_for_load_state()
                assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (name, width)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto((site / "index.html").as_uri())
        tab.click("input.md-search__input")
        tab.keyboard.type("PolynomialDecay")
        tab.locator(".md-search-result__item", has_text="PolynomialDecay").first.wait_for(state="attached")
        browser.close()
    assert errors == []
    assert [url for url in asked if not url.startswith("file:")] == []
