"""Metrics that keep one value per case.

Source: Clara 3.1 page "Bring your own components"; clara-3.1-engine facts, sections 2.6 and 3. The columns of the
reports are not documented: they are assumed.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from clara_compat.errors import ClaraError

__all__ = ["MetricList"]

_SUMMARY: dict[str, Callable[[np.ndarray[Any, Any]], Any]] = {
    "mean": np.mean,
    "median": np.median,
    "max": np.max,
    "min": np.min,
    "90percentile": lambda values: np.percentile(values, 90),
    "std": np.std,
}
_UNPRINTABLE = re.compile(r"[\t\r\n]")
"""What would break a row of the report."""


class MetricList:
    """Collects one value per case in ``self._list``, a one-dimensional numpy array.

    A subclass overrides :meth:`get`, and may override :meth:`update` and append to ``self._list`` itself.

    Args:
        name: name of the metric; the files of the report are named after it.
        invalid_value: value of a case for which the metric is not defined. Such a case, and any nan, is left out of
            ``self._list`` and shown as ``nan`` in the report (assumed).
        report_path: folder of the report; without it there is none.
    """

    def __init__(self, name: str, invalid_value: float = math.nan, report_path: str | None = None) -> None:
        self.name = name
        self.invalid_value = invalid_value
        self.report_path = report_path
        self._list: Any = np.empty(0)
        self._file_names: list[str] = []
        self._invalid_file_names: list[str] = []

    def update(self, value: Any, label_value: Any = None, filename: Any = "", data_prop: Any = None) -> None:
        """Add the value of one case.

        Args:
            value: a number, or an array whose mean is taken (assumed).
            label_value: label of the case; not used here.
            filename: file name of the case, for the report; bytes and lists of names are taken too.
            data_prop: properties of the data; not used here.
        """
        numbers = np.asarray(value, dtype=float)
        number = float(numbers.mean()) if numbers.size else math.nan
        if math.isnan(number) or number == self.invalid_value:
            self._invalid_file_names.append(_text(filename))
        else:
            self._list = np.append(self._list, self._stored(number))
            self.name_new_values(filename)

    def name_new_values(self, filename: Any) -> None:
        """Remember a file name for every value that was appended to ``self._list`` since the last call.

        Values that an overridden :meth:`update` appends get their file names from here; calling it twice is harmless.
        """
        size = self._values().size
        if size < len(self._file_names):  # user code emptied the list itself and has begun anew
            self._file_names = [""] * (size - 1)
        self._file_names.extend([_text(filename)] * (size - len(self._file_names)))

    def get(self) -> float:
        """Return the mean over the cases, 0 when there is none."""
        return float(np.mean(self._list)) if self._values().size else 0.0

    def reset(self) -> None:
        """Forget all cases: a new validation begins."""
        self._list = np.empty(0)
        self._file_names = []
        self._invalid_file_names = []

    def generate_report(self) -> None:
        """Write the report files into ``report_path``; without one, nothing.

        ``<name>_raw_results.txt`` has one row per case, file name (or the case's number) and value, and
        ``<name>_summary_results.txt`` one row per statistic: mean, median, max, min, 90percentile, std. Columns are
        separated by a tab. Nan is left out of the statistics. Either file is complete or not there at all.

        Raises:
            ClaraError: the folder or a file cannot be written.
        """
        if self.report_path is None:
            return
        self.name_new_values("")
        values = np.concatenate([self._values(), np.full(len(self._invalid_file_names), math.nan)])
        names = [*self._file_names, *self._invalid_file_names]
        cases = enumerate(zip(names, values, strict=True), start=1)
        rows = ((name or f"case_{number}", value) for number, (name, value) in cases)
        valid = values[~np.isnan(values)]
        summary = ((title, compute(valid) if valid.size else math.nan) for title, compute in _SUMMARY.items())
        stem = re.sub(r"[^\w.+ -]", "_", self.name)
        folder = Path(self.report_path)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / f"{stem}_raw_results.txt", rows)
            _write(folder / f"{stem}_summary_results.txt", summary)
        except OSError as error:
            raise ClaraError(
                f"the report of metric '{self.name}' cannot be written to {folder} ({error.strerror}): "
                "set 'report_path' to a folder you may write to"
            ) from error

    def _stored(self, number: float) -> float:
        """Return what is kept of a valid number."""
        return number

    def _values(self) -> np.ndarray[Any, Any]:
        """Return ``self._list`` as a flat array; user code may have set it to None or a list."""
        return np.empty(0) if self._list is None else np.ravel(np.asarray(self._list, dtype=float))


def _text(filename: Any) -> str:
    if isinstance(filename, (bytes, bytearray)):
        return filename.decode(errors="replace")
    if isinstance(filename, (list, tuple, np.ndarray)):
        return ", ".join(_text(name) for name in filename)
    return str(filename)


def _write(file: Path, rows: Iterable[tuple[str, float]]) -> None:
    text = "".join(f"{_UNPRINTABLE.sub(' ', name)}\t{float(value):.9g}\n" for name, value in rows)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
