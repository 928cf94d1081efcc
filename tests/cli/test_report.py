from __future__ import annotations

import json
from pathlib import Path

import pytest

from clara_compat.cli.main import main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["report", *arguments])
    return int(ended.value.code or 0)


def test_the_page_and_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stats = {"config": "config_train.json", "epochs": [{"epoch": 1, "loss": 0.5, "seconds": 1.0}]}
    (tmp_path / "train_stats.json").write_text(json.dumps(stats))
    (tmp_path / "evaluate_stats.json").write_text(
        '{"metrics": {"d": 1}, "cases": [{"name": "c", "metrics": {"d": 1}}]}'
    )
    assert run(str(tmp_path)) == 0
    assert capsys.readouterr().out == f"Report: {tmp_path / 'report.html'}\n"
    assert run(str(tmp_path), "--eval", str(tmp_path), "-o", str(tmp_path / "page.html")) == 0
    assert "Evaluation" in (tmp_path / "page.html").read_text()


def test_a_folder_without_a_training_is_the_users_to_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path)) == 2
    assert "holds no training" in capsys.readouterr().err
