"""The course of a run, as its statistics tell it."""

from __future__ import annotations

from matplotlib.figure import Figure

from clara_compat.report.course import Course, draw_course


def test_course_of_statistics() -> None:
    stats = {
        "key_metric": "mean_dice",
        "epochs": [
            {"epoch": 1, "loss": 0.9},
            {"epoch": 2, "loss": 0.5, "metrics": {"mean_dice": 0.4, "negloss": -0.5}},
            {"epoch": 3, "loss": 0.4, "metrics": {"mean_dice": None}},
        ],
    }
    assert Course.from_stats(stats) == Course([1, 2, 3], [0.9, 0.5, 0.4], [2], [0.4])


def test_both_panels_show_the_values() -> None:
    left, right = Figure().subplots(1, 2)
    draw_course((left, right), Course([1, 2, 3], [0.9, 0.5, 0.4], [2, 3], [0.7, 0.6]), "AUC", "title")
    assert left.lines[0].get_xydata().tolist() == [[1, 0.9], [2, 0.5], [3, 0.4]]
    assert right.lines[0].get_xydata().tolist() == [[2, 0.7], [3, 0.6]]
    assert right.lines[1].get_xydata().tolist() == [[2, 0.7]]
    assert (right.get_ylabel(), right.get_title()) == ("AUC", "title")
    assert right.get_legend().get_texts()[1].get_text() == "best: 0.700 after epoch 2"


def test_a_run_without_validation_has_its_loss_drawn() -> None:
    left, right = Figure().subplots(1, 2)
    draw_course((left, right), Course([1], [0.9], [], []), "AUC", "title")
    assert len(left.lines) == 1
    assert not right.lines
