"""The commands: exit codes, legacy flags, instant help."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

import clara_compat
from clara_compat.cli.exit import exit_code
from clara_compat.cli.main import main, spread_set
from clara_compat.errors import ClaraError

Make = Callable[..., Path]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code or 0


def test_help_needs_neither_torch_nor_monai() -> None:
    code = "import sys; from clara_compat.cli.main import main\ntry: main(['{}', '--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('torch', 'monai', 'numpy', 'nibabel') if m in sys.modules])"
    for command in ("train", "evaluate", "infer", "check", "demo", "components", "weights"):
        out = subprocess.run([sys.executable, "-c", code.format(command)], capture_output=True, text=True, check=True)
        assert out.stdout.splitlines()[-1] == "[]"


def test_help_fits_a_narrow_terminal_and_cuts_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ((), ("train",), ("evaluate",), ("migrate",), ("weights",), ("weights", "convert")):
        assert run(*command, "--help") == 0
        told = capsys.readouterr().out
        assert not re.findall(r"…|\w\.\.\.$", told, re.MULTILINE)
        assert max(map(len, told.splitlines())) <= 80


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"clara-compat {clara_compat.__version__}\n"
    assert clara_compat.__version__ == version("clara-compat")


@pytest.mark.parametrize(
    ("given", "spread"),
    [
        (["--set", "a=1", "b=2", "-m", "x"], ["--set", "a=1", "--set", "b=2", "-m", "x"]),
        (["-m", "x", "--set", "a=-1"], ["-m", "x", "--set", "a=-1"]),
        (["--set", "a=1", "--set", "b=2", "c=3"], ["--set", "a=1", "--set", "b=2", "--set", "c=3"]),
        (["--set"], []),
        (["--set", "a=1", "config.json"], ["--set", "a=1", "config.json"]),
    ],
)
def test_claras_set_takes_everything_up_to_the_next_flag(given: list[str], spread: list[str]) -> None:
    assert spread_set(given) == spread


def test_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    def mend() -> None:
        raise ClaraError("mend this")

    def leaves() -> None:
        raise SystemExit("bad data")

    def defect() -> None:
        raise ZeroDivisionError("oops")

    assert (exit_code(lambda: None), exit_code(mend), exit_code(defect), exit_code(leaves)) == (0, 2, 1, 2)
    err = capsys.readouterr().err
    assert "mend this" in err
    assert "a defect of clara_compat, not of your files: ZeroDivisionError: oops" in err
    assert "Traceback" not in err


def test_an_unknown_option_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", "--nonsense") == 2
    assert "--nonsense" in capsys.readouterr().err


def test_check_prints_a_table_and_passes(small_mmar: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(small_mmar() / "config/config_train.json")) == 0
    out = capsys.readouterr().out
    for word in ("ScaleIntensityRange", "ScaleIntensityRanged (clara_compat)", "assumed", "Nothing to mend."):
        assert word in out


def test_check_as_json(small_mmar: Make, capsys: pytest.CaptureFixture[str]) -> None:
    mmar = small_mmar(lambda config: config["train"]["model"].update(name="Unett"))
    assert run("check", str(mmar / "config/config_train.json"), "--json") == 2
    report = json.loads(capsys.readouterr().out)
    assert not report["passed"]
    assert "did you mean 'Unet'" in report["errors"][0]["message"]
    assert report["errors"][0]["path"].startswith("train.model")
    assert report["errors"][0]["line"] > 1


def test_check_as_a_page(small_mmar: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "new" / "page.html"
    config = str(small_mmar() / "config/config_train.json")
    assert run("check", config, "--html", str(page)) == 0
    out = capsys.readouterr().out
    assert out.index("Nothing to mend.") < out.index(f"The report: {page}")
    assert "All of it runs: " in page.read_text()
    assert list(page.parent.iterdir()) == [page]


def test_check_as_a_page_and_json_of_what_is_wrong(
    small_mmar: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mmar = small_mmar(lambda config: config["train"]["model"].update(name="Unett"))
    page = tmp_path / "page.html"
    assert run("check", str(mmar / "config/config_train.json"), "--json", "--html", str(page)) == 2
    assert not json.loads(capsys.readouterr().out)["passed"]
    assert "did you mean &#39;Unet&#39;" in page.read_text()


def test_a_page_that_cannot_be_written(small_mmar: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(small_mmar() / "config/config_train.json"), "--html", str(tmp_path)) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert f"the page {tmp_path} cannot be written: Is a directory; name another file with --html" in message


def test_check_without_data_needs_no_data(small_mmar: Make, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(small_mmar() / "config/config_train.json")
    missing = ["--set", "DATASET_JSON=/nowhere/dataset.json"]
    assert run("check", config, *missing) == 2
    assert "/nowhere/dataset.json: the data list file does not exist" in capsys.readouterr().out
    assert run("check", config, "--no-data", *missing) == 0


def test_check_never_imports_user_code(small_mmar: Make, tmp_path: Path) -> None:
    victim = tmp_path / "imported"
    mmar = small_mmar(lambda config: config["train"]["pre_transforms"].append({"path": "mine.Mine"}))
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        f"open({str(victim)!r}, 'w')\nclass Mine:\n    def transform(self, c): return c\n"
    )
    assert run("check", str(mmar / "config/config_train.json")) == 0
    assert not victim.exists()


def test_components_lists_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("components", "losses") == 0
    assert "Focal" in capsys.readouterr().out
    assert run("components", "loses") == 2
    assert "did you mean 'losses'" in capsys.readouterr().err


def test_components_as_markdown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("components", "--markdown", str(tmp_path)) == 0
    pages = [str(tmp_path / name) for name in ("COMPONENTS.md", "FIDELITY.md", "TENSORFLOW.md")]
    pages += [str(tmp_path / "migration" / name) for name in ("components.md", "what-is-not-accepted.md")]
    assert capsys.readouterr().out.splitlines() == pages
    assert "### Focal\n" in (tmp_path / "COMPONENTS.md").read_text()
    assert run("components", "losses", "--markdown", str(tmp_path)) == 2
    assert "--markdown writes the whole catalogue: leave the family out" in capsys.readouterr().err


def test_train_with_the_legacy_module_and_its_flags(small_mmar: Make) -> None:
    mmar = small_mmar()
    command = [sys.executable, "-u", "-m", "nvmidl.apps.train", "-m", str(mmar), "-c", "config/config_train.json"]
    command += ["-e", "config/environment.json", "--write_train_stats", "--set", "epochs=1", "learning_rate=0.002"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1: loss" in done.stdout
    assert "validation after epoch 1: mean_dice" in done.stdout
    assert "Training finished" in done.stdout
    assert not done.stderr.strip()
    stats = json.loads((mmar / "models/train_stats.json").read_text())
    assert stats["epochs"][0]["learning_rate"] == 0.002


def test_text_in_brackets_is_printed_as_it_is(small_mmar: Make, capsys: pytest.CaptureFixture[str]) -> None:
    def change(config: dict) -> None:
        config["epochs"] = 1
        config["validate"]["metrics"][0]["args"]["name"] = "dice[/x]"

    assert run("train", "-m", str(small_mmar(change))) == 0
    assert "best dice[/x]" in capsys.readouterr().out


def test_launch_scripts_call_train_mmar(small_mmar: Make) -> None:
    from nvmidl.utils import train_mmar

    result = train_mmar(str(small_mmar()), "config/config_train.json", "config/environment.json", None, ["epochs=1"])
    assert result.paths["model"].exists()


def test_what_the_user_can_mend_is_one_message(small_mmar: Make, capsys: pytest.CaptureFixture[str]) -> None:
    mmar = small_mmar()
    assert run("train", "-m", str(mmar), "--set", "train.model.args.num_clases=3") == 2
    err = capsys.readouterr().err
    assert "did you mean 'num_classes', which is given as well?" in err
    assert "Traceback" not in err
    assert not (mmar / "models").exists()
