"""``SECURITY.md`` against the commands."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import typer

import clara_compat
from clara_compat.cli.main import app
from clara_compat.run.export import ExportOptions

PAGE = (Path(__file__).resolve().parents[2] / "SECURITY.md").read_text()
COMMANDS = typer.main.get_command(app).commands
ROWS = {cells[1].strip(): cells for line in PAGE.splitlines() if len(cells := line.split("|")) == 6}
RUN_USER_CODE = {"train", "evaluate", "infer", "preview", "export"}


def test_every_command_has_its_row() -> None:
    told = {name for row in ROWS for name in re.findall(r"`clara-compat (\w+)`", row)}
    assert told == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_what_runs_user_code_has_the_switch(name: str) -> None:
    [cells] = [cells for row, cells in ROWS.items() if f"`clara-compat {name}`" in row]
    options = {flag for one in COMMANDS[name].params for flag in one.opts}
    assert (name in RUN_USER_CODE) == ("your code" in cells[4]) == ("--no-user-code" in options)


def test_python_functions_have_the_switch() -> None:
    for name in RUN_USER_CODE - {"export"}:
        assert inspect.signature(getattr(clara_compat, name)).parameters["user_code"].default is True
    assert ExportOptions().user_code
