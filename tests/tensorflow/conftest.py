"""What the tests of the facade share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from clara_compat.tensorflow.loader import UserCode, use


@pytest.fixture
def user_module(tmp_path: Path) -> Callable[[str], ModuleType]:
    """Writes a user's module ``user.py`` and imports it as the product does."""

    def load(source: str) -> ModuleType:
        (tmp_path / "user.py").write_text(textwrap.dedent(source))
        return UserCode([str(tmp_path)]).load("user")

    return load


@pytest.fixture
def user_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a user's modules by name and makes their folder the one of the user's components."""

    def write(**modules: str) -> Path:
        for name, source in modules.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        use([str(tmp_path)])
        return tmp_path

    return write
