"""``.ci/browser``: installs a browser where it can, and lets the tests go on where it cannot."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "browser"


def run(folder: Path, **programs: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the script where only these programs (shell text by name) are, and return what apt-get was asked."""
    if not SCRIPT.is_file():
        pytest.skip("this copy of the project has no .ci folder")
    for name, text in programs.items():
        program = folder / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    asked = folder / "asked"
    bash = shutil.which("bash") or "bash"
    environment = {"PATH": str(folder), "ASKED": str(asked)}
    found = subprocess.run([bash, SCRIPT], env=environment, capture_output=True, text=True, timeout=30, check=False)
    return found, asked.read_text() if asked.exists() else ""


def test_a_browser_that_is_there_is_enough(tmp_path: Path) -> None:
    found, asked = run(tmp_path, chromium="exit 1", id="echo 0", apt_get='echo "$@" >> "$ASKED"')
    assert (found.returncode, found.stdout, found.stderr, asked) == (0, "", "", "")


def test_one_is_installed(tmp_path: Path) -> None:
    found, asked = run(tmp_path, id="echo 0", apt_get='echo "$@" >> "$ASKED"')
    assert (found.returncode, found.stdout) == (0, "")
    assert asked.splitlines() == ["update -qq", "install -y -qq --no-install-recommends chromium fonts-dejavu-core"]


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ({"id": "echo 1000", "apt_get": "exit 0"}, "only root can install one: the tests .* are skipped"),
        ({"id": "echo 0"}, "no apt-get to install one: the tests .* are skipped"),
        ({"id": "echo 0", "apt_get": "exit 100"}, "the list of packages cannot be read: the tests .* are skipped"),
        ({"id": "echo 0", "apt_get": 'test "$1" = update'}, "chromium cannot be installed: the tests .* are skipped"),
    ],
)
def test_without_one_the_tests_go_on(tmp_path: Path, programs: dict[str, str], said: str) -> None:
    found, _ = run(tmp_path, **programs)
    assert found.returncode == 0
    assert re.search(said, found.stdout)
