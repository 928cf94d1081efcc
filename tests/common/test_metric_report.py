"""The report files of a metric."""

from __future__ import annotations

import numpy as np
import pytest

from clara_compat.common.metric_report import write_reports
from clara_compat.errors import ClaraError


def rows(path):
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def test_one_value_per_case(tmp_path):
    values = [0.5, np.nan, 0.75, 0.1]
    raw, summary = write_reports(tmp_path / "new" / "eval", "mean_dice", ["a b.nii", "b", "c\td", "d"], values)
    assert raw == tmp_path / "new" / "eval" / "mean_dice_raw_results.txt"
    assert rows(raw) == [["file", "mean"], ["a b.nii", "0.5"], ["b", "nan"], ["c d", "0.75"], ["d", "0.1"]]
    valid = np.array([0.5, 0.75, 0.1])
    assert summary.name == "mean_dice_summary_results.txt"
    titles, numbers = rows(summary)
    assert titles == ["class", "mean", "median", "max", "min", "90percentile", "std"]
    expected = [valid.mean(), np.median(valid), 0.75, 0.1, np.percentile(valid, 90), valid.std()]
    assert numbers[0] == "mean"
    np.testing.assert_allclose([float(number) for number in numbers[1:]], expected, rtol=1e-8)


def test_several_values_per_case(tmp_path):
    raw, summary = write_reports(tmp_path, "dice", ["a", "b"], [[0.25, np.nan], [0.75, np.nan]])
    assert rows(raw) == [
        ["file", "class0", "class1", "mean"],
        ["a", "0.25", "nan", "0.25"],
        ["b", "0.75", "nan", "0.75"],
    ]
    assert [row[0] for row in rows(summary)] == ["class", "class0", "class1", "mean"]
    assert rows(summary)[2][1:] == ["nan"] * 6


def test_no_case_at_all_and_an_earlier_report(tmp_path):
    write_reports(tmp_path, "x", ["a"], [1.0])
    raw, summary = write_reports(tmp_path, "x", [], [])
    assert rows(raw) == [["file", "mean"]]
    assert rows(summary)[1] == ["mean"] + ["nan"] * 6
    assert len(list(tmp_path.iterdir())) == 2  # no temporary file stays


def test_name_that_is_no_file_name(tmp_path):
    raw, _ = write_reports(tmp_path, "val/../dice:1", ["a"], [1.0])
    assert raw == tmp_path / "val_.._dice_1_raw_results.txt"


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match=r"report of metric 'm' cannot be written to .*file.* set 'report_path'"):
        write_reports(tmp_path / "file", "m", ["a"], [1.0])
