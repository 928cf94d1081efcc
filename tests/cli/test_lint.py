"""The command ``clara-compat lint``."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from clara_compat.cli.main import main

CODE = """\
import tensorflow as tf
from ai4med.components.losses.loss import Loss
class MyDice(Loss):
    def get_loss(self, predictions, targets, build_ctx=None):
        one = tf.get_variable('a', [1])
        two = tf.no_such_function(predictions)
        return one + two + tf.get_variable('b', [1])
"""


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code or 0


@pytest.fixture
def file(tmp_path):
    (tmp_path / "loss.py").write_text(CODE)
    return tmp_path / "loss.py"


def test_lines_by_place_and_a_summary(file, capsys) -> None:
    assert run("lint", str(file)) == 2
    port = "port: torch.nn.Parameter(value)"
    mind = " (kept on self in __init__; what is not trained: self.register_buffer(name, value))"
    assert capsys.readouterr().out.splitlines() == [
        f"{file}:3:1: does not run: loss MyDice: see line 6; port: monai.losses.DiceLoss",
        f"{file}:5:15: runs: tf.get_variable; {port}{mind}",
        f"{file}:6:15: not provided: tf.no_such_function",
        f"{file}:7:28: runs: tf.get_variable; {port}",
        "1 file, 1 component, 0 of them run. Places: 2 runs, 1 not provided.",
    ]


def test_quiet_prints_what_does_not_run(file, capsys) -> None:
    assert run("lint", "--quiet", str(file)) == 2
    assert [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()] == ["does not run", "not provided"]
    file.write_text(CODE.replace("tf.no_such_function", "float"))
    assert run("lint", "-q", str(file.parent)) == 0
    assert capsys.readouterr().out == ""


def test_as_json(file, capsys) -> None:
    assert run("lint", "--json", str(file)) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["passed"] is False
    assert report["counts"] == {"files": 1, "runs": 2, "runs, differs": 0, "not provided": 1, "does not run": 0}
    (one,) = report["files"]
    assert one["file"] == str(file)
    assert one["components"][0]["family"] == "losses"
    first = one["findings"][0]
    assert (first["line"], first["status"], first["symbol"]) == (5, "runs", "tensorflow.get_variable")
    assert first["equivalent"] == "torch.nn.Parameter(value)"


def test_a_path_that_is_not_there(capsys) -> None:
    assert run("lint", "nowhere.py") == 2
    assert "nowhere.py: there is no such file or folder" in capsys.readouterr().err


def test_help_teaches_and_is_light(capsys) -> None:
    assert run("lint", "--help") == 0
    out = " ".join(capsys.readouterr().out.split())
    for words in ("never run or imported", "Exit code 0 when everything runs, 2 otherwise", "--quiet", "not provided"):
        assert words in out
    code = (
        "import sys; from clara_compat.cli.main import main\ntry: main(['lint', '--help'])\nexcept SystemExit: pass\n"
    )
    code += "print([m for m in ('torch', 'monai', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
