from __future__ import annotations

import sys
from types import ModuleType

import pytest

from clara_compat.engine.handlers.bar import Bar, watched


@pytest.mark.parametrize(("value", "seen"), [(None, True), ("", True), ("0", True), ("1", False), ("true", False)])
def test_tqdms_own_variable_turns_the_bars_off(
    value: str | None, seen: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))  # a notebook
    if value is None:
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
    else:
        monkeypatch.setenv("TQDM_DISABLE", value)
    assert watched() is seen
    bar = Bar()
    bar.open(2, "epoch 1/1", "step")
    bar.update()
    bar.close()
    assert ("epoch 1/1" in capfd.readouterr().err) is seen


def test_without_a_terminal_and_a_notebook_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    assert not watched()
