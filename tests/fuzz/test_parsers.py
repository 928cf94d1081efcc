"""Coverage-guided runs of the parsers, for a moment here and for minutes in ``make fuzz``."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TARGETS = ("variables", "overrides", "paths", "positions", "references", "log_config", "arguments")
SECONDS = max(2, int(os.environ.get("FUZZ_SECONDS", "0")) // len(TARGETS))
"""For one target; ``FUZZ_SECONDS`` is for all together."""


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed: pip install 'clara-compat[fuzz]'")
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found(target: str, tmp_path: Path) -> None:
    kept = Path(os.environ.get("FUZZ_KEEP") or tmp_path).resolve()
    command = [sys.executable, "-m", "tests.fuzz.atheris_parsers", target, str(tmp_path / "corpus")]
    options = [f"-max_total_time={SECONDS}", f"-artifact_prefix={kept}/{target}_"]
    kept.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    paths = [str(REPOSITORY), str(REPOSITORY / "shims"), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    done = subprocess.run(
        [*command, *options],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + 120,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert "Done " in done.stderr
