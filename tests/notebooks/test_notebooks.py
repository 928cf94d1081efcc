"""The notebooks: pairs that are equal, kept without outputs, and executed from beginning to end."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("*.py"))
PAIRED = "ipynb,py:percent"
CELL_SECONDS = 300
"""Limit of a cell. The longest takes 30 s on a quiet machine."""

CLAIMS = {
    "01_run_a_legacy_config": [
        r"config_broken.json:\d+ train.optimizer.name: 'Adma' is no known component; did you mean 'Adam'\?",
        r"models/model.pt",
        r"ct_validation_00\d +│ 0\.[5-9]\d\d +\(worst\)",
        r"same grid as the scan: True",
    ],
    "02_bring_your_own_components": [
        r"TensorFlow was imported: False",
        r"monai.losses.DiceLoss",
        r"<All keys matched successfully>",
        *(
            rf"{what}: largest difference \d"
            for what in ("loader", "transform", "loss", "network", "metric", "losses of the first four epochs")
        ),
    ],
    "03_migrate_to_a_monai_bundle": [
        r"All of it runs: \d+ of \d+ components",
        r"16 steps, largest difference of the losses: 0\.0",
        r"largest difference of the Dice: 0\.0",
        r"monai.bundle run --config_file configs/inference.json",
        r"of them name clara_compat: none",
        r"DynUNet",
        r"native: 16 steps, loss from 0\.\d\d to 0\.[0-4]\d",
    ],
    "04_performance": [
        r"batch by transform +│ +723 │ +1\.49 │",
        r"no cache, 2 workers +│ +\d+ +│",
    ],
    "05_subclass_the_compat_classes": [
        r"shape_format=DHW\) values 0.0 to 1.0",
        r"largest difference to the above: 0\.0",
        r"a batch of a MONAI DataLoader: \(4, 1, 32, 32, 16\)",
        r"that is enough",
        r"loss of a batch: 0\.\d",
    ],
}
"""What each notebook prints when what its text says is true."""


def read(script: Path) -> tuple[Any, Any]:
    """The two of a pair."""
    return jupytext.read(script), nbformat.read(script.with_suffix(".ipynb"), as_version=4)


def plain(notebook: Any) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def by_name(path: Path) -> str:
    return path.stem


def test_every_notebook_has_its_pair_and_its_claims() -> None:
    assert [path.stem for path in SCRIPTS] == sorted(CLAIMS)
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(CLAIMS)


def test_the_readme_lists_every_notebook() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\((\w+)\.ipynb\) \|", (FOLDER / "README.md").read_text(), flags=re.MULTILINE)
    assert listed == [(path.stem, path.stem) for path in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_a_pair_is_equal(script: Path) -> None:
    text, notebook = read(script)
    assert plain(text) == plain(notebook), "write the .ipynb anew: make notebooks"
    assert text.metadata.jupytext.formats == notebook.metadata.jupytext.formats == PAIRED
    assert text.metadata.kernelspec == notebook.metadata.kernelspec


@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_a_round_trip_changes_nothing(script: Path) -> None:
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    assert jupytext.writes(notebook, "py:percent") == script.read_text()


@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_outputs_are_cleared(script: Path) -> None:
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
            assert "execution" not in cell.metadata


@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_the_first_cell_says_what_you_will_have(script: Path) -> None:
    first = jupytext.read(script).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert "**What you will have at the end:**" in first.source
    assert re.search(r"^\*(Every number|The times)", first.source, flags=re.MULTILINE), (
        "where do the numbers come from?"
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_no_path_is_absolute(script: Path) -> None:
    assert not re.findall(r"""["'`( ](/\w[^"'` ]*|~/[^"'` ]*|[A-Z]:\\[^"'` ]*)""", script.read_text())


class _Kernel(AsyncKernelManager):
    """A kernel of the interpreter that runs the tests, whatever kernels are installed."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="tests", language="python")


def printed(outputs: list[Any]) -> str:
    """All that the cells printed and showed as text, tables without their colours."""
    shown = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return re.sub(r"\x1b\[[\d;]*m", "", "\n".join(shown))


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary folder with a short path: sockets of loader workers, which lie in it, have at most 108 characters."""
    with tempfile.TemporaryDirectory(prefix="nb", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_it_executes_and_shows_what_it_claims(
    script: Path, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    resources = {"metadata": {"path": str(work)}}
    NotebookClient(notebook, km=_Kernel(), timeout=CELL_SECONDS, resources=resources, allow_errors=False).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    text = printed(outputs)
    for claim in CLAIMS[script.stem]:
        assert re.search(claim, text), f"{claim!r} in:\n{text}"
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not list(work.iterdir()), "everything goes to a folder of its own"
