"""Two processes find what one finds with batches of twice the size."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

WORK = Path(__file__).with_name("work.py")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def two(folders: tuple[Path, Path], start_two: Any) -> list[dict[str, Any]]:
    """What both processes found."""
    started = start_two("work.py", folders[1])
    told = [process.communicate(timeout=300)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], "\n".join(told)
    return [json.loads((folders[1] / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.fixture(scope="module")
def work() -> Any:
    spec = importlib.util.spec_from_file_location("work", WORK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def one(folders: tuple[Path, Path], work: Any) -> dict[str, Any]:
    """What one process found, whose batches are twice as large."""
    return json.loads(json.dumps(work.work(folders[0], share=2)))


def test_what_they_tell_each_other(one: dict[str, Any], two: list[dict[str, Any]]) -> None:
    assert [found["talk"]["size"] for found in (one, *two)] == [1, 2, 2]
    assert [found["after"] for found in two] == [1, 1]
    for found in two:
        assert found["talk"]["everybody"] == [{"rank": 0}, {"rank": 1}]
        assert found["talk"]["from_first"] == "made by 0"
        assert found["talk"]["any"] == [True, False]
        assert found["talk"]["merged"] == ["0a", "0b", "1a", "0c"]
    assert [found["talk"]["merged_on_first"] for found in two] == [["0a", "1a", "0b", "1b"], []]
    assert [found["talk"]["to_first"] for found in two] == [[0, 0, 1, 1], []]
    assert one["talk"]["merged"] == ["0a", "0b", "0c"]


@pytest.mark.parametrize("name", ["train one", "train two"])
def test_a_step_is_that_of_the_whole_batch(name: str, one: dict[str, Any], two: list[dict[str, Any]]) -> None:
    expected = one[name]
    assert expected["epochs"] == 3  # of 4: a handler on one process asked for the end
    for found in two:
        assert found[name]["epochs"] == 3
        np.testing.assert_allclose(found[name]["losses"], expected["losses"], rtol=1e-9)
        for ours, other in zip(found[name]["parameters"], expected["parameters"], strict=True):
            np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-12)
        assert found[name]["without gradient"] == ["unused.weight", "unused.bias"]
        for metric, value in expected["metrics"].items():
            assert found[name]["metrics"][metric] == pytest.approx(value, rel=1e-6), metric
    assert two[0][name]["parameters"] == two[1][name]["parameters"]  # bit by bit
    assert two[0][name]["seen"] == two[1][name]["seen"]
    assert two[0][name]["dropout"] == expected["dropout"]
    assert two[1][name]["dropout"] != expected["dropout"]


def test_a_step_by_hand(two: list[dict[str, Any]], work: Any) -> None:
    """Batches of two items, one on each process, and one of one item, in float64 with numpy."""
    from clara_compat.engine.data.epoch_plan import EpochPlan

    inputs, targets = work.points()
    plan = EpochPlan([{}] * len(inputs), shuffle=True, seed=7)
    weights, bias, sometimes, scale = np.full(3, 0.5), 0.5, 0.5, 1.0
    losses = []
    for epoch in (1, 2, 3):
        order = plan.order(epoch)
        for batch in (order[0:2], order[2:4], order[4:5]):
            slopes = [np.zeros(3), 0.0, 0.0, 0.0]
            loss = 0.0
            for index in batch:
                x, y = inputs[index], targets[index, 0]
                on = float(x[0] > 0)  # each process decides for its own item
                p = weights @ x + bias + on * sometimes
                error = 2 * (scale * p - y) / len(batch)
                loss += (scale * p - y) ** 2 / len(batch)
                for i, slope in enumerate((scale * x, scale, scale * on, p)):
                    slopes[i] = slopes[i] + error * slope
            losses.append(loss)
            weights, bias = weights - work.RATE * slopes[0], bias - work.RATE * slopes[1]
            sometimes, scale = sometimes - work.RATE * slopes[2], scale - work.RATE * slopes[3]
    for found in two:
        np.testing.assert_allclose(found["train one"]["losses"], losses, rtol=1e-9)
        trained = found["train one"]["parameters"]
        np.testing.assert_allclose(trained[0], [sometimes], rtol=1e-9)
        np.testing.assert_allclose(trained[1], [weights], rtol=1e-9)
        np.testing.assert_allclose(trained[2], [bias], rtol=1e-9)
        np.testing.assert_allclose(trained[-1], scale, rtol=1e-9)


@pytest.mark.parametrize("name", ["validate one", "validate 4 cases", "validate 1 cases"])
def test_a_validation_is_that_of_all_cases(name: str, one: dict[str, Any], two: list[dict[str, Any]]) -> None:
    expected = one[name]
    for found in two:
        assert found[name]["metrics"] == pytest.approx(expected["metrics"], abs=1e-12)
        assert found[name]["best"] == pytest.approx(expected["best"], abs=1e-12)
    assert two[0][name]["fed"] == expected["fed"]  # a metric of the user's sees all cases, in their order
    assert two[1][name]["fed"] == []


@pytest.mark.parametrize(("name", "bad"), [("validate bad", [1, 4]), ("validate bad together", [2, 3])])
def test_a_validation_without_the_cases_that_cannot_be_read(
    name: str, bad: list[int], one: dict[str, Any], two: list[dict[str, Any]], work: Any
) -> None:
    expected = one[name]
    assert [text.split(".")[0] for text in expected["fed"]] == [f"scan{i}" for i in range(5) if i not in bad]
    means = [item["image"].numpy().astype(np.float64).mean() for i, item in enumerate(work.masks(5)) if i not in bad]
    assert expected["metrics"]["mean"] == pytest.approx(np.mean(means), abs=1e-6)
    for found in two:
        assert found[name]["metrics"] == pytest.approx(expected["metrics"], abs=1e-12)
        assert found[name]["skipped"] == expected["skipped"]
        assert [times for _, times in found[name]["skipped"]] == [1, 1]
    assert two[0][name]["fed"] == expected["fed"]


def test_a_value_that_is_a_single_number_on_one_process(two: list[dict[str, Any]]) -> None:
    for found in two:
        assert found["means"] == {"mean": pytest.approx(1 / 3), "rows": 3.0}


def test_a_validation_by_hand(two: list[dict[str, Any]], work: Any) -> None:
    dices, means = [], []
    for item in work.masks(5):
        predicted, true = item["image"].numpy() >= 0.5, item["label"].numpy() > 0
        means.append(item["image"].numpy().astype(np.float64).mean())
        if true.any():
            dices.append(2 * (predicted & true).sum() / (predicted.sum() + true.sum()))
    for found in two:
        assert found["validate one"]["metrics"]["dice"] == pytest.approx(np.mean(dices), abs=1e-12)
        assert found["validate one"]["metrics"]["mean"] == pytest.approx(np.mean(means), abs=1e-6)


@pytest.mark.parametrize("name", ["one", "two", "1", "4", "bad", "bad together"])
def test_records_and_reports_are_those_of_all_cases(
    name: str, folders: tuple[Path, Path], one: dict[str, Any], two: list[dict[str, Any]]
) -> None:
    alone, shared = (folder / name for folder in folders)
    ours, expected = (json.loads((place / "validation_cases.json").read_text()) for place in (shared, alone))
    if name == "two":  # a batch of two cases: those of a process stand together
        ours["cases"].sort(key=lambda case: case["name"])
        expected["cases"].sort(key=lambda case: case["name"])
        assert [case["dice"] for case in ours["cases"]] == [case["dice"] for case in expected["cases"]]
        return
    assert ours == expected
    assert len(ours["pictures"]) == min(2, len(ours["cases"]))
    for file in alone.glob("*.txt"):
        assert (shared / file.name).read_text() == file.read_text()
    assert list(alone.glob("*.txt"))


def test_an_area_needs_the_cases_of_all(one: dict[str, Any], two: list[dict[str, Any]]) -> None:
    for found in two:
        assert found["classify"] == one["classify"]
        assert found["classify"]["files"] == [f"case_{i}" for i in range(1, 8)]
        assert found["classify one"]["files"] == ["case_1"]


def test_what_all_have_skipped(one: dict[str, Any], two: list[dict[str, Any]]) -> None:
    assert one["skip"] == {"items": {"scan0": 2, "scan8": 2}, "resumed": {"scan0": 3, "scan8": 3}, "train": 2}
    for found in two:  # of both epochs, and of the last one
        resumed = {"scan0": 3, "scan8": 6, "scan1": 3}  # a checkpoint has what all have skipped, once
        assert found["skip"] == {"items": {"scan0": 2, "scan8": 4, "scan1": 2}, "resumed": resumed, "train": 4}


def test_one_process_writes_the_statistics(folders: tuple[Path, Path], one: dict[str, Any], two: Any) -> None:
    alone, shared = (json.loads((folder / "one/train_stats.json").read_text()) for folder in folders)
    assert shared["processes"] == 2
    assert "processes" not in alone
    assert [record["loss"] for record in shared["epochs"]] == pytest.approx(
        [record["loss"] for record in alone["epochs"]]
    )
