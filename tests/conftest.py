"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def clara_examples() -> Path:
    """Folder of NVIDIA's clara-train-examples (real configs, one real CT scan); skips when it is not there."""
    named = os.environ.get("CLARA_EXAMPLES")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data" / "clara-train-examples"
    if not folder.is_dir():
        pytest.skip("the clara-train-examples are not here: set CLARA_EXAMPLES to their folder")
    return folder
