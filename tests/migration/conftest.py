from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_REFUSING = """
import sys


class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"clara_compat", "ai4med", "dlmed", "nvmidl"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Refusing())
"""
"""A ``sitecustomize`` for an environment in which these packages are not installed."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for PYTHONPATH with which nothing of this package can be imported."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "sitecustomize.py").write_text(_REFUSING)
    return folder


@pytest.fixture
def run_bundle(plain_python: Path) -> Run:
    """Run a config of a bundle as its README says, in its folder; ``plain`` without this package."""

    def run(bundle: Path, name: str, *more: str, plain: bool = False) -> subprocess.CompletedProcess[str]:
        files = ["--config_file", f"configs/{name}.json", "--meta_file", "configs/metadata.json"]
        command = [sys.executable, "-m", "monai.bundle", "run", *files, "--logging_file", "configs/logging.conf", *more]
        places = [plain_python] if plain else [ROOT, ROOT / "shims"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
        done = subprocess.run(
            command, cwd=bundle, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done

    return run


@pytest.fixture(scope="session")
def verify_metadata(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Run ``monai.bundle verify_metadata`` on a bundle, with the schema where the command would download it to."""
    from monai.bundle import verify_metadata as verify

    schema = tmp_path_factory.mktemp("schema") / "schema.json"
    schema.write_text((ROOT / "tests/resources/bundle_metadata.schema.json").read_text())

    def run(bundle: Path) -> None:
        verify(meta_file=str(bundle / "configs/metadata.json"), filepath=str(schema))

    return run
