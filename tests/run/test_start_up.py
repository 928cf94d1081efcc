"""What a run imports until its first batch is asked for, and what it says meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clara_compat.demo.mmar import prepare_mmar
from clara_compat.demo.scans import make_scans

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
OURS = {"ai4med", "clara_compat", "startup"}
"""Also what a config imports of its MMAR is called after us."""
SMALL = {
    *("annotated_doc", "annotated_types", "pydantic", "pydantic_core", "typing_inspection", "typer", "shellingham"),
    *("rich", "tqdm", "colorama"),
}
"""What reads configs and draws on the terminal: a tenth of a second together."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments that train the demo's MMAR on a few scans."""
    mmar = prepare_mmar(tmp_path_factory.mktemp("start") / "mmar", "demo_mmar")
    data_list = make_scans(mmar / "data", seed=0)
    listed = json.loads(data_list.read_text())
    data_list.write_text(
        json.dumps({name: items[:2] if isinstance(items, list) else items for name, items in listed.items()})
    )
    return ["-m", str(mmar), "--set", f"DATA_ROOT={data_list.parent}", f"DATASET_JSON={data_list}"]


def python(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def first_batch(demo: list[str]) -> dict[str, Any]:
    """At the first batch: what is ``imported`` beside what MONAI imports, how often each scan was ``opened``."""
    code = f"""
import collections, json, os, sys
sys.path.insert(0, {str(BENCHMARKS)!r})
import monai
before, opened = set(sys.modules), collections.Counter()

def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".nii.gz"):
        opened[str(arguments[0])] += 1

class Ending:
    @staticmethod
    def _exit(code):
        imported = sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})
        print("\\n" + json.dumps({{"imported": imported, "opened": opened}}), flush=True)
        os._exit(code)

sys.addaudithook(hook)
import startup
startup.os = Ending
startup.main(["--until-asked", "train", *sys.argv[1:]])
"""
    found: dict[str, Any] = json.loads(python(code, *demo).splitlines()[-1])
    return found


def test_until_the_first_batch_nothing_large_is_imported_beside_monai(first_batch: dict[str, Any]) -> None:
    found = set(first_batch["imported"]) - set(sys.stdlib_module_names)
    others = {name for name in found if not name.startswith(("clara_user_code", "_"))} - OURS - SMALL
    assert others == {"torch"}  # its optimizers import its compiler when the first is made


def test_the_header_of_a_scan_is_read_once_before_the_first_batch(first_batch: dict[str, Any]) -> None:
    assert len(first_batch["opened"]) == 8
    assert set(first_batch["opened"].values()) == {1}


def test_a_config_is_checked_with_its_data_before_torch_is_loaded(demo: list[str]) -> None:
    """A mistake in a config is told at once, not after seconds of imports."""
    code = """
import sys
from pathlib import Path
from clara_compat.config.workflow import load_train_workflow
from clara_compat.run.check import problems_of
mmar, _, *overrides = sys.argv[2:]
workflow = load_train_workflow(Path("config/config_train.json"), mmar=Path(mmar), overrides=overrides)
heavy = ("torch", "monai", "matplotlib")
print(len(problems_of(workflow)[0]), [name for name in heavy if name in sys.modules])
"""
    assert python(code, *demo) == "0 []\n"


def test_loading_is_told_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from clara_compat.run.console import say_loading

    caplog.set_level("INFO", "clara_compat")
    monkeypatch.delitem(sys.modules, "monai", raising=False)
    say_loading()
    monkeypatch.setitem(sys.modules, "monai", sys)
    say_loading()
    assert caplog.messages == ["loading PyTorch and MONAI"]
