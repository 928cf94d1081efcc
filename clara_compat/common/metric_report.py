"""The two text files a metric with a ``report_path`` leaves behind."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clara_compat.common.auc import roc_auc
from clara_compat.common.files import replacing
from clara_compat.common.full_disk import why
from clara_compat.errors import ClaraError

__all__ = ["SUMMARIES", "write_auc_reports", "write_reports"]

SUMMARIES: dict[str, Callable[[Any], Any]] = {
    "mean": np.nanmean,
    "median": np.nanmedian,
    "max": np.nanmax,
    "min": np.nanmin,
    "90percentile": lambda values: np.nanpercentile(values, 90),
    "std": np.nanstd,
}
"""The summaries, by the names MONAI's ``write_metrics_reports`` gives them; invalid values are left out of all."""


def write_reports(
    folder: str | os.PathLike[str], name: str, files: Sequence[str], values: Sequence[Any]
) -> tuple[Path, Path]:
    """Write ``<name>_raw_results.txt`` and ``<name>_summary_results.txt``, replacing earlier ones in one go each.

    Clara wrote files of these names, one row per case and the summaries (clara-3.1 engine facts, section 3); its
    columns are not known. Here both have a header line and columns separated by tabs: the values of a case, one per
    class where the metric has several, and their ``mean``. Invalid values are ``nan``.

    Args:
        folder: made when missing.
        name: the metric's name; characters that do not belong into a file name become underscores.
        files: the file of every case.
        values: for every case its values: a number, or a row of as many as the first case has.

    Returns:
        The paths of the two files.

    Raises:
        ClaraError: when the folder or a file cannot be written.
    """
    table = np.array([np.ravel(np.asarray(value, dtype=np.float64)) for value in values], dtype=np.float64)
    table = table.reshape(len(files), -1) if table.size else np.empty((0, 1))
    titles = [f"class{index}" for index in range(table.shape[1])] if table.shape[1] > 1 else []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice|All-NaN|Degrees of freedom", RuntimeWarning)
        table = np.concatenate([table, np.nanmean(table, axis=1, keepdims=True)], axis=1) if titles else table
        titles.append("mean")
        summary = [
            [title, *(_text(summarise(column) if column.size else np.nan) for summarise in SUMMARIES.values())]
            for title, column in zip(titles, table.T, strict=True)
        ]
    raw = [["file", *titles], *([_cell(file), *map(_text, row)] for file, row in zip(files, table, strict=True))]
    return _write_tables(folder, name, raw, [["class", *SUMMARIES], *summary])


def write_auc_reports(
    folder: str | os.PathLike[str], name: str, files: Sequence[str], scores: Any, truth: Any, result: float
) -> tuple[Path, Path]:
    """Write the two files of a metric that has no value per case but an area under the curve per class.

    The raw file has the predictions and the labels of every case, the summary the area of every class with its numbers
    of positive and negative cases, and the metric's result as ``average`` (the columns are assumed).

    Args:
        folder: made when missing.
        name: the metric's name.
        files: the file of every case.
        scores: (N, classes).
        truth: (N, classes) of 1, 0 or nan.
        result: the metric's value.

    Returns:
        The paths of the two files.

    Raises:
        ClaraError: when the folder or a file cannot be written.
    """
    classes = range(scores.shape[1])
    head = ["file", *(f"prediction{index}" for index in classes), *(f"label{index}" for index in classes)]
    rows = np.concatenate([scores, truth], axis=1)
    raw = [head, *([_cell(file), *map(_text, row)] for file, row in zip(files, rows, strict=True))]
    summary = [["class", "auc", "positive", "negative"]]
    for index in classes:
        column = truth[:, index]
        counts = [str(int(np.sum(column == value))) for value in (1, 0)]
        summary.append([f"class{index}", _text(roc_auc(scores[:, index], column)), *counts])
    counts = [str(int(np.sum(truth == value))) for value in (1, 0)]
    return _write_tables(folder, name, raw, [*summary, ["average", _text(result), *counts]])


def _write_tables(
    folder: str | os.PathLike[str], name: str, raw: list[list[str]], summary: list[list[str]]
) -> tuple[Path, Path]:
    stem = re.sub(r"[^\w.+ -]", "_", name)
    raw_path = Path(folder) / f"{stem}_raw_results.txt"
    summary_path = Path(folder) / f"{stem}_summary_results.txt"
    try:
        _write(raw_path, raw)
        _write(summary_path, summary)
    except OSError as error:
        raise ClaraError(
            f"the report of metric '{name}' cannot be written to {folder} ({why(error)}): "
            "set 'report_path' to a folder you may write to"
        ) from error
    return raw_path, summary_path


def _text(value: float) -> str:
    return f"{value:.9g}"


def _cell(text: str) -> str:
    return re.sub(r"[\t\r\n]", " ", text)


def _write(path: Path, rows: list[list[str]]) -> None:
    with replacing(path) as stream:
        stream.write("".join("\t".join(row) + "\n" for row in rows).encode())
