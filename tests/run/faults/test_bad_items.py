"""A scan that becomes unreadable in the middle of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

Make = Callable[..., Any]

CUTS = """
    class Fault(TrainHandler):
        def end_epoch(self, ctx):
            if ctx.current_epoch == 1:
                for name in NAMES:
                    file = Path(SCANS) / name
                    file.write_bytes(file.read_bytes()[:2000])
"""


def cutting(*names: str) -> str:
    return CUTS.replace("NAMES", repr(names))


def entry(stats: dict[str, Any], case: str) -> dict[str, Any]:
    [found] = [one for one in stats["skipped"] if f"{case}_image" in one["files"]]
    return found


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("case", "section"), [("case2", "train"), ("case5", "validate")])
class TestAScanIsCutOffAfterTheFirstEpoch:
    def test_stop(self, faulty: Make, case: str, section: str, workers: int) -> None:
        run = faulty(cutting(f"{case}_image.nii.gz"), workers=workers).train()
        message = run.message()
        assert f"{section}.pre_transforms[0]: " in message or "train.pre_transforms[0]: " in message
        assert f"{case}_image.nii.gz' cannot be read: the file is cut off" in message
        assert "; --on-bad-item skip goes on without such scans" in message
        run.check_files("model.pt", "checkpoint.pt", "train_stats.json", "validation_cases.json")
        assert len(run.stats["epochs"]) == 1
        done = 1 if section == "train" else 2
        steps = torch.load(run.models / "checkpoint.pt", weights_only=True)["trainer"]["iteration"]
        assert 0 <= steps - 2 * done < 2, "the steps of the second epoch before the one with the scan are kept, too"

    def test_skip(self, faulty: Make, case: str, section: str, workers: int) -> None:
        run = faulty(cutting(f"{case}_image.nii.gz"), workers=workers).train("--on-bad-item", "skip")
        assert run.code == 0, run.err
        run.check_files("model.pt", "final_model.pt", "checkpoint.pt", "train_stats.json", "validation_cases.json")
        stats = run.stats
        assert stats["steps"] == 6
        assert [epoch["skipped"] for epoch in stats["epochs"]] == [
            {"train": 0, "validate": 0},
            {"train": 0, "validate": 0} | {section: 1},
            {"train": 0, "validate": 0} | {section: 1},
        ]
        found = entry(stats, case)
        assert (found["section"], found["times"]) == (section, 2)
        assert f"{case}_image.nii.gz' cannot be read: the file is cut off" in found["reason"]
        does = "is replaced by the next one that can be made" if section == "train" else "is left out"
        assert run.log.count(f"{section}: an item cannot be made and {does}: ") == 1, "named once, when it is met first"
        assert run.log.count("an item cannot be made") == 1
        assert "1 item could not be made, skipped 2 times in all: train_stats.json names them" in run.log
        assert "1 of the scans, which cannot be read" in run.out
        page = (run.models / "report.html").read_text()
        assert "Skipped scans" in page
        assert f"{case}_image" in page


def test_what_takes_the_place_does_not_depend_on_workers_and_caches(faulty: Make, tmp_path: Path) -> None:
    """The item is a function of its key: the weights are the same, bit for bit, however it was loaded."""
    weights = []
    for number, top in enumerate(({}, {"workers": 2}, {"cache_gb": 1}, {"cache_gb": 1, "workers": 2})):
        run = faulty(name=f"run{number}", **top)
        file = run.scans / "case1_image.nii.gz"
        file.write_bytes(file.read_bytes()[:2000])
        run.train("--on-bad-item", "skip", "--set", "epochs=2")
        assert run.code == 0, run.err
        assert entry(run.stats, "case1")["times"] == 2
        weights.append(torch.load(run.models / "final_model.pt", weights_only=True))
    for other in weights[1:]:
        assert all(torch.equal(one, other[name]) for name, one in weights[0].items())


def test_a_training_that_goes_on_skips_and_counts_the_same(faulty: Make) -> None:
    runs = []
    for name, epochs in (("whole", (3,)), ("resumed", (1, 3))):
        run = faulty(name=name)
        file = run.scans / "case1_image.nii.gz"
        file.write_bytes(file.read_bytes()[:2000])
        for count in epochs:
            run.train("--on-bad-item", "skip", "--resume", "--set", f"epochs={count}")
            assert run.code == 0, run.err
        runs.append(run)
    whole, resumed = runs
    assert entry(resumed.stats, "case1")["times"] == entry(whole.stats, "case1")["times"] == 3
    assert [one["skipped"]["train"] for one in resumed.stats["epochs"]] == [1, 1, 1]
    expected, found = (torch.load(run.models / "final_model.pt", weights_only=True) for run in runs)
    assert all(torch.equal(value, found[name]) for name, value in expected.items())


def test_a_case_that_is_left_out_has_no_part_in_the_metrics(faulty: Make) -> None:
    """The mean is that of the cases which are there, as a data list without the bad one gives."""
    run = faulty(name="bad")
    file = run.scans / "case5_image.nii.gz"
    file.write_bytes(file.read_bytes()[:2000])
    run.train("--on-bad-item", "skip", "--set", "epochs=1")
    assert run.code == 0, run.err
    cases = json.loads((run.models / "validation_cases.json").read_text())["cases"]
    assert [case["name"] for case in cases] == ["case4_image", "case6_image"]
    mean = np.mean([case["metrics"]["mean_dice"] for case in cases], dtype=np.float64)
    assert run.stats["best_value"] == pytest.approx(mean, abs=1e-12)

    without = faulty(name="without")
    listed = json.loads((without.scans / "dataset.json").read_text())
    del listed["validation"][1]
    (without.scans / "dataset.json").write_text(json.dumps(listed))
    without.train("--set", "epochs=1")
    assert without.stats["best_value"] == run.stats["best_value"]
    assert "skipped" not in without.stats


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ((0, 1, 2), "3 items in a row of the 4 of the data list cannot be made, too many to skip; the first: "),
        ((4, 6), "validate: 2 of the 3 items of the data list cannot be made, more than half, so none is skipped"),
        ((4, 5, 6), "validate: 3 of the 3 items of the data list cannot be made, more than half, so none is skipped"),
    ],
)
def test_too_many_bad_scans_end_the_run(faulty: Make, cases: tuple[int, ...], message: str) -> None:
    run = faulty(cutting(*(f"case{number}_image.nii.gz" for number in cases)), on_bad_item="skip").train()
    assert message in run.message()
    run.check_files("model.pt", "checkpoint.pt", "train_stats.json", "validation_cases.json")


def test_a_value_that_is_neither_is_refused(faulty: Make) -> None:
    run = faulty(on_bad_item="leave").train()
    assert "on_bad_item" in run.message()
    assert "expected one of 'skip', 'stop'" in run.message()


def test_a_loss_that_is_no_number_keeps_the_best_model(faulty: Make) -> None:
    good = faulty(name="good").train("--set", "epochs=1")
    assert good.code == 0, good.err
    code = """
        class Fault(Transformer):
            def transform(self, ctx):
                if current_item.get().epoch > 1:
                    image = ctx.get_image("image")
                    image.set_data(image.get_data() * np.nan, image.get_shape_format())
                return ctx
    """
    run = faulty(code, slot="pre_transforms", name="nan").train()
    assert "the loss became nan at step 3 (epoch 2); the batch held: " in run.message()
    run.check_files("model.pt", "checkpoint.pt", "train_stats.json", "validation_cases.json")
    best = torch.load(run.models / "model.pt", weights_only=True)
    expected = torch.load(good.models / "model.pt", weights_only=True)
    assert best.keys() == expected.keys()
    assert all(torch.equal(best[name], expected[name]) for name in best)
    checkpoint = torch.load(run.models / "checkpoint.pt", weights_only=True)
    assert checkpoint["trainer"]["epoch_length"] == 2
    assert all(torch.equal(checkpoint["network"][name], expected[name]) for name in best)
