"""The examples of the porting guide run as they stand; old and new code agree, and with what numpy says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "migration" / "porting-your-code.md"
_BLOCK = re.compile(r'^```python title="([\w./]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
BLOCKS = dict(_BLOCK.findall(PAGE.read_text(encoding="utf-8")))
COMPARISONS = sorted(name for name in BLOCKS if name.startswith("compare_"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, code in BLOCKS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "scripts"))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def run(code: str, name: str) -> dict:
    found: dict = {}
    exec(compile(code, name, "exec"), found)
    return found


def test_every_block_of_the_page_has_a_file() -> None:
    assert PAGE.read_text(encoding="utf-8").count("```python") == len(BLOCKS)
    assert len(COMPARISONS) == 8


@pytest.mark.parametrize("name", COMPARISONS)
def test_old_and_new_agree(name: str, folder: Path) -> None:
    run(BLOCKS[name], name)


CHANGED = [
    ("compare_transform.py", "scripts/clip_percentiles.py", "- low) / (high", "- low) / (low"),
    ("compare_random_transform.py", "scripts/add_random_constant.py", "uniform(-self", "uniform(0 * self"),
    ("compare_loader.py", "scripts/load_npz.py", "torch.diag(", "torch.diag(2 * "),
    ("compare_metric.py", "scripts/volume_error.py", "clamp(min=1)", "clamp(min=1e4)"),
    ("compare_loss.py", "scripts/tversky_loss.py", "alpha=0.3", "alpha=0.4"),
    ("compare_model.py", "scripts/small_network.py", "momentum=0.01", "momentum=0.1"),
    ("compare_model.py", "scripts/small_network.py", "eps=1e-3", "eps=1e-1"),
    ("compare_policy.py", "scripts/warm_up.py", "done + 1", "done"),
    ("compare_handler.py", "scripts/stop_when_good.py", "> self.threshold", "< 0"),
]


@pytest.mark.parametrize(("name", "file", "old", "new"), CHANGED, ids=lambda value: value.rpartition("/")[2])
def test_a_comparison_sees_a_mistake_in_the_new_code(name: str, file: str, old: str, new: str, folder: Path) -> None:
    assert BLOCKS[file].count(old) == 1
    (folder / file).write_text(BLOCKS[file].replace(old, new), encoding="utf-8")
    with pytest.raises(AssertionError):
        run(BLOCKS[name], name)


def test_what_the_new_code_gives_is_what_numpy_gives(folder: Path) -> None:
    found = run(BLOCKS["compare_transform.py"], "compare")
    volume = found["volume"].astype(np.float64)
    low, high = np.percentile(volume, [1, 99])
    np.testing.assert_allclose(found["new"], (np.clip(volume, low, high) - low) / (high - low), atol=1e-5)

    found = run(BLOCKS["compare_metric.py"], "compare")
    errors = []
    for prediction, label in zip(found["predictions"], found["labels"], strict=True):
        errors.append(abs(np.sum(prediction >= 0.5) - np.sum(label == 1)) / np.sum(label == 1))
    np.testing.assert_allclose(float(found["new"].aggregate()), np.mean(errors), rtol=1e-6)

    found = run(BLOCKS["compare_loss.py"], "compare")
    predictions, labels = found["predictions"].detach().double().numpy(), found["labels"].numpy()
    scores = []
    for n in range(2):
        for c in range(3):
            p, t = predictions[n, c], (labels[n, 0] == c).astype(np.float64)
            both = np.sum(p * t)
            scores.append((both + 1e-5) / (both + 0.3 * np.sum(p * (1 - t)) + 0.7 * np.sum((1 - p) * t) + 1e-5))
    np.testing.assert_allclose(found["new"].item(), 1 - np.mean(scores), rtol=1e-5)


@pytest.mark.slow
def test_a_reader_can_run_them_as_files(folder: Path) -> None:
    code = "import sys; sys.path.insert(0, 'scripts'); import compare_model"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
