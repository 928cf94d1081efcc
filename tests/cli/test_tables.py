"""What the commands print at their end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from clara_compat.cli.tables import print_training


@pytest.mark.parametrize(
    ("ran", "told"),
    [
        ({"threads": 1}, "cpu, 1 thread"),
        ({"threads": 2}, "cpu, 2 threads"),
        ({"threads": 4, "processes": 2}, "cpu, 2 processes, each with 4 threads"),
    ],
)
def test_what_a_training_ran_on(ran: dict[str, Any], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    epoch = {"epoch": 1, "loss": 0.5, "seconds": 2.0}
    stats = {"epochs": [epoch], "steps": 4, "device": "cpu", **ran}
    print_training(SimpleNamespace(stats=stats, paths={}))
    assert f"│ {told} " in capsys.readouterr().out
