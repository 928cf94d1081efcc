"""The page that a training leaves, and what strangers' folders do to it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat import evaluate, train, training_report
from clara_compat.errors import ClaraError
from clara_compat.run.console import noted_warnings
from clara_compat.run.training_report import _training

Make = Callable[..., Path]

HOSTILE = "<script>alert(1)</script>\"'</style><img src=http://example.org/x>$\x00\ud800"


def stats(**changes: Any) -> dict[str, Any]:
    epochs = [
        {
            "epoch": number,
            "loss": 1 / number,
            "learning_rate": 0.1**number,
            "train_metrics": {"negloss": -1 / number},
            "seconds": 2.0,
            **({"metrics": {"dice": number / 10}, "validation_seconds": 0.5} if number % 2 == 0 else {}),
        }
        for number in range(1, 7)
    ]
    found = {"config": "/data/mmar/config/config_spleen.json", "epochs": epochs, "steps": 60, "key_metric": "dice"}
    return {**found, "best_epoch": 6, "best_value": 0.6, "device": "cpu", "seeds": {"data": 7}, **changes}


def cases(**changes: Any) -> dict[str, Any]:
    listed = [{"name": f"case{i}", "metrics": {"dice": value}} for i, value in enumerate((0.9, 0.2, None, 0.5))]
    return {"epoch": 6, "key_metric": "dice", "ranked_by": "dice", "metrics": {"dice": 0.6}, "cases": listed, **changes}


def folder_of(path: Path, **contents: Any) -> Path:
    """Write ``train_stats.json``, ``validation_cases.json`` and ``configs/train.json``; texts as they are."""
    files = {"stats": "train_stats.json", "cases": "validation_cases.json", "bundle": "configs/train.json"}
    for name, content in contents.items():
        file = path / files[name]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def words(page: Path) -> str:
    """The text of a page, without what stands in its head."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.read_text().partition("<body>")[2]).split())


def test_a_training_ends_with_its_report(small_mmar: Make) -> None:
    page = train(small_mmar()).paths["report"]
    told = words(page)
    for expected in (
        "config_train.json", "best mean_dice after epoch", "2 epochs (4 steps)", "What the figures say", "Every case",
        "case4_image", "The worst cases", "difference", "Network: ClaraUNet", "Loss: ClaraDiceLoss", "TensorFlowAdam",
        "dataset.json", "4, list &#39;training&#39;, 2 per batch", "1, list &#39;validation&#39;", "seeds data",
        "deterministic yes", "Transforms of training: 6", "torch 2", "clara_compat",
    ):  # fmt: skip
        assert expected in told
    html = page.read_text()
    assert len(html) < 400_000
    assert not re.search(r"https?://(?!www\.w3\.org)|<script", html)
    assert {one.partition(":")[0].partition(",")[0] for one in re.findall(r'(?:src|href)="([^"]+)"', html)} <= {
        "data", "#slice1",
    }  # fmt: skip


def test_the_page_of_another_place(small_mmar: Make, tmp_path: Path) -> None:
    folder = train(small_mmar(lambda config: config.update(epochs=1))).paths["report"].parent
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert training_report(folder, out=tmp_path / "new" / "page.html") == tmp_path / "new" / "page.html"
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_earlier_report_is_kept_with_its_run(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    first = train(mmar).paths
    kept = {name: first[name].read_bytes() for name in ("report", "cases")}
    train(mmar)
    for name, content in kept.items():
        assert (mmar / "models/previous_1" / first[name].name).read_bytes() == content


def test_a_report_that_fails_does_not_fail_the_training(
    small_mmar: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*given: Any, **named: Any) -> None:
        raise ZeroDivisionError("of the page")

    monkeypatch.setattr("clara_compat.run.training_report.training_report", broken)
    paths = train(small_mmar(lambda config: config.update(epochs=1))).paths
    assert "model" in paths
    assert "report" not in paths
    assert "the training report could not be made: ZeroDivisionError: of the page" in caplog.text


def test_warnings_of_the_run_are_kept_and_shown(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config.update(epochs=1)
        config["use_xla"] = True

    paths = train(small_mmar(change)).paths
    warnings = json.loads(paths["stats"].read_text())["warnings"]
    assert any("use_xla has no counterpart" in one for one in warnings)
    assert "Warnings of the run" in words(paths["report"])
    assert "use_xla has no counterpart" in words(paths["report"])


def test_warnings_are_noted_once() -> None:
    import logging

    logger = logging.getLogger("clara_compat")
    with noted_warnings() as found:
        for text in ("one", "two", "one"):
            logger.warning("warning %s", text)
        logger.info("no warning")
    logger.warning("later")
    assert found == ["warning one", "warning two"]


def test_an_evaluation_beside_it(small_mmar: Make, evaluation_mmar: Make, tmp_path: Path) -> None:
    mmar = evaluation_mmar(name="evaluated")
    result = evaluate(mmar, overrides={"do_validation": True})
    folder = folder_of(tmp_path / "models", stats=stats())
    page = training_report(folder, evaluation=result.paths["folder"])
    told = words(page)
    worst = min(result.cases, key=lambda name: result.cases[name]["dice"])
    assert "Evaluation folder" in told
    assert f"dice first case dice {worst}" in told
    assert "The worst, the median and the best case of the evaluation" in page.read_text()


def test_worst_first(tmp_path: Path) -> None:
    told = words(training_report(folder_of(tmp_path, stats=stats(), cases=cases())))
    assert "case1 0.2000 case3 0.5000 case0 0.9000 case2 –" in told
    assert "1 case of 4 has no value of dice" in told


def test_the_bundle_around_a_models_folder(tmp_path: Path) -> None:
    folder_of(tmp_path, bundle={"network_def": {"_target_": "UNet", "spatial_dims": 3}})
    page = training_report(folder_of(tmp_path / "models", stats=stats()))
    assert "Network: UNet" in words(page)


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ({"stats": stats()}, "configs/train.json is missing: what was trained is not known."),
        ({"cases": cases()}, "train_stats.json is missing: the course of the training is not known."),
        ({"stats": "{"}, "train_stats.json is damaged and left out: it is no JSON that can be read."),
        ({"stats": "[" * 100_000}, "train_stats.json is damaged and left out: it is no JSON that can be read."),
        ({"stats": '{"a": ' + "9" * 5000 + "}"}, "train_stats.json is damaged and left out"),
        ({"stats": "[1]"}, "train_stats.json is damaged and left out: expected an object of JSON."),
        ({"stats": {"epochs": []}}, "train_stats.json has no epochs: the training ended before its first epoch did."),
        ({"stats": stats(), "cases": "null"}, "validation_cases.json is damaged and left out"),
        ({"stats": stats(), "cases": cases(epoch=4)}, "validation_cases.json is of epoch 4, but the best epoch is 6"),
        ({"stats": stats(), "cases": cases(pictures=[{"case": 0, "image": "AAAA"}])}, "1 of 1 pictures of cases are"),
        ({"stats": stats(), "cases": cases(pictures=[{"case": 99}, {"case": -1}])}, "2 of 2 pictures of cases are"),
    ],
)
def test_what_is_missing_or_damaged_is_a_sentence(tmp_path: Path, contents: dict[str, Any], expected: str) -> None:
    assert expected in words(training_report(folder_of(tmp_path, **contents)))


WRONG: list[Any] = [
    None,
    True,
    "text",
    HOSTILE,
    -1,
    1e308,
    5e-324,
    1e29,
    10**11,
    10**400,
    [],
    [[]],
    {},
    {"a": {"b": []}},
    float("nan"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_anything_may_stand_anywhere(tmp_path: Path, wrong: Any) -> None:
    """Every value of the three files is replaced by something else, one after the other."""
    picture = {"case": 0, "place": "x", "affine": [[1]], "spacing": [1, 2], "image": "AA", "layers": [{"name": "a"}]}
    case = {"name": "a", "metrics": {"dice": 1.0}, "dice": [1.0], "voxels": [{"both": 1, "prediction": 1, "label": 1}],
            "voxel_mm3": 1.0, "scores": [0.5], "truth": [1.0], "error": 0.1}  # fmt: skip
    contents: dict[str, Any] = {
        "stats": stats(items={"train": 3}, versions={"torch": "2"}, warnings=["w"], determinism=True),
        "cases": cases(cases=[case], pictures=[picture], classes=["foreground"], dice="dice"),
        "bundle": {
            "network_def": {"_target_": "a.B"},
            "train": {"data": {"data_list_file_path": "@X"}, "preprocessing": {"transforms": [{"_target_": "T"}]}},
            "validate": {"evaluator": {"key_val_metric": {"dice": {"_target_": "D"}}}},
        },
    }
    folder_of(tmp_path, **contents)
    for name, content in contents.items():
        for path in places(content):
            folder_of(tmp_path, **{name: replaced(content, path, wrong)})
            _training(tmp_path, None)
        folder_of(tmp_path, **{name: content})
    for name, content in contents.items():  # and all of them at once
        folder_of(tmp_path, **{name: everywhere(content, wrong)})
    html = training_report(tmp_path).read_text()
    assert "<script" not in html
    assert "<img src=http" not in html


def everywhere(value: Any, wrong: Any) -> Any:
    if isinstance(value, dict) and value:
        return {key: everywhere(each, wrong) for key, each in value.items()}
    return [everywhere(each, wrong) for each in value] if isinstance(value, list) and value else wrong


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in data, of lists only the first item."""
    inner = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    return [one for key, each in inner for one in [(*path, key), *places(each, (*path, key))]]


def replaced(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    copied = json.loads(json.dumps(value))
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = wrong
    return copied


def test_hostile_words_are_only_words(tmp_path: Path) -> None:
    named = {HOSTILE: 0.5, "_target_": 0.1, "$x$": 0.2}
    folder = folder_of(
        tmp_path,
        stats=stats(
            config=HOSTILE,
            key_metric=HOSTILE,
            warnings=[HOSTILE],
            versions={HOSTILE: HOSTILE},
            epochs=[{"epoch": 1, "loss": 1.0, "train_metrics": named, "metrics": named}],
        ),
        cases=cases(ranked_by=HOSTILE, cases=[{"name": HOSTILE, "metrics": named}], classes=[HOSTILE]),
        bundle={
            "network_def": {"_target_": "os.system", "command": "touch pwned"},
            "train": {"preprocessing": {"transforms": [{"_target_": HOSTILE, "a": "$__import__('os').system('ls')"}]}},
        },
    )
    html = training_report(folder).read_text()
    assert "<script" not in html
    assert "<img src=http" not in html
    assert "touch pwned" in html
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "configs", "report.html", "train_stats.json", "validation_cases.json",
    ]  # fmt: skip


def test_a_large_file_and_a_pipe_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clara_compat.run.strangers_json._MOST_BYTES", 1 << 20)
    folder = folder_of(tmp_path, stats="[" + " " * (1 << 20) + "]")
    os.mkfifo(folder / "validation_cases.json")
    told = words(training_report(folder))
    assert "train_stats.json is larger than 1 MB and was not read." in told
    assert "validation_cases.json is no file and was not read." in told


def test_a_long_training_is_thinned(tmp_path: Path) -> None:
    epochs = [
        {"epoch": number, "loss": 1 / number, "learning_rate": 1e-3, "seconds": 1.0, "metrics": {"dice": number / 5000}}
        for number in range(1, 5001)
    ]
    page = training_report(folder_of(tmp_path, stats=stats(epochs=epochs, best_epoch=5000, best_value=1.0)))
    assert page.stat().st_size < 400_000
    assert "200 of 5000 epochs; train_stats.json has all of them." in words(page)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "nowhere",
            r"the folder .*nowhere does not exist: name the MMAR_CKPT_DIR of a training, such as my_mmar/models",
        ),
        ("empty", "empty holds no training, as there is no train_stats.json in it: name the MMAR_CKPT_DIR"),
        ("mmar", "mmar holds no training, as there is no train_stats.json in it; did you mean '.*mmar/models'"),
    ],
)
def test_a_folder_without_a_training(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    folder_of(tmp_path / "mmar/models", stats=stats())
    with pytest.raises(ClaraError, match=message):
        training_report(tmp_path / name)


def test_wrong_places(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "models", stats=stats())
    with pytest.raises(ClaraError, match="holds no evaluation, as there is no evaluate_stats.json in it: name the"):
        training_report(folder, evaluation=tmp_path)
    with pytest.raises(ClaraError, match="the report is a file: '.*' is a folder; name a file"):
        training_report(folder, out=tmp_path)
    with pytest.raises(ClaraError, match="the report .* cannot be written: .*; name another file with -o"):
        training_report(folder, out=folder / "train_stats.json" / "page.html")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"no picture", "evaluate.png is no PNG picture"), (None, "evaluate_stats.json has no cases")],
)
def test_a_damaged_evaluation(tmp_path: Path, content: bytes | None, expected: str) -> None:
    folder = folder_of(tmp_path / "models", stats=stats())
    (tmp_path / "evaluate_stats.json").write_text('{"metrics": {"dice": 0.5}, "cases": 7}')
    if content is not None:
        (tmp_path / "evaluate.png").write_bytes(content)
    assert expected in words(training_report(folder, evaluation=tmp_path))


def test_damaged_pictures_are_counted(small_mmar: Make) -> None:
    folder = train(small_mmar(lambda config: config.update(epochs=1))).paths["cases"].parent
    recorded = json.loads((folder / "validation_cases.json").read_text())
    recorded["pictures"].append({"case": 0, "image": "no PNG"})
    (folder / "validation_cases.json").write_text(json.dumps(recorded))
    told = words(training_report(folder))
    assert f"1 of {len(recorded['pictures'])} pictures of cases are damaged and left out." in told
