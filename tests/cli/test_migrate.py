"""The command ``clara-compat migrate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clara_compat.cli.main import main
from clara_compat.cli.migrate import spread_configs


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code or 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("migrate -c a b -o x", "migrate -c a -c b -o x"),
        ("migrate --config a b --native", "migrate -c a -c b --native"),
        ("migrate -o x", "migrate -o x"),
        ("train -c a", "train -c a"),
    ],
)
def test_several_configs_may_follow_one_flag(given: str, expected: str) -> None:
    assert " ".join(spread_configs(given.split())) == expected


def test_what_was_written_and_how_to_go_on(
    small_mmar: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mmar, bundle = small_mmar(), tmp_path / "bundle"
    assert run("migrate", "-m", str(mmar), "-c", "config/config_train.json", "-o", str(bundle)) == 0
    out = capsys.readouterr().out
    assert "holds no weights: train the bundle before it is evaluated" in out
    for name in ("configs/train.json", "configs/inference.json", "docs/report.html", "LICENSE"):
        assert name in out
        assert (bundle / name).is_file()
    assert "entries need clara_compat installed; --native does without" in out
    assert f"cd {bundle}" in out
    assert "python -m monai.bundle run --config_file configs/train.json" in out


def test_a_native_bundle_says_how_much_differs(
    small_mmar: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("migrate", "-m", str(small_mmar()), "-o", str(tmp_path / "bundle"), "--native") == 0
    assert "entries give other results than clara_compat's: docs/README.md lists them" in capsys.readouterr().out


def test_a_native_bundle_names_what_is_to_be_ported(
    small_mmar: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mmar = small_mmar(lambda config: config["train"]["pre_transforms"].append({"path": "mine.Own"}))
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        "from ai4med.components.transforms.transformer import Transformer\n\n\n"
        "class Own(Transformer):\n    def transform(self, transform_ctx):\n        return transform_ctx\n"
    )
    folder = tmp_path / "my bundle"
    assert run("migrate", "-m", str(mmar), "-o", str(folder), "--native") == 0
    out = capsys.readouterr().out
    assert "Not in it until you port it: mine.Own." in out
    assert f"cd '{folder}'" in out


def test_what_must_be_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config_train.json").write_text("{")
    assert run("migrate", "-m", str(tmp_path), "-o", str(tmp_path / "bundle")) == 2
    assert "not valid JSON" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()
