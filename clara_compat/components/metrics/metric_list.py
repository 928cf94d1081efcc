"""Metrics that keep one value per case.

Source: Clara 3.1 page "Bring your own components"; clara-3.1-engine facts, sections 2.6 and 3. The columns of the
reports are not documented: they are assumed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from clara_compat.common.metric_report import write_reports

__all__ = ["MetricList", "text_of"]


class MetricList:
    """Collects one value per case in ``self._list``, a one-dimensional numpy array.

    A subclass overrides :meth:`get`, and may override :meth:`update` and append to ``self._list`` itself.

    Args:
        name: name of the metric; the files of the report are named after it.
        invalid_value: value of a case for which the metric is not defined. Such a case, and any nan, is left out of
            ``self._list`` and shown as ``nan`` in the report (assumed).
        report_path: folder of the report; without it there is none.

    Example::

        class Volume(MetricList):
            def update(self, value, label_value=None, filename="", data_prop=None):
                self._list = np.append(self._list, (value >= 0.5).sum())

            def get(self):
                return self._list.mean()
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
            self._invalid_file_names.append(text_of(filename))
        else:
            self._list = np.append(self._list, self._stored(number))
            self.name_new_values(filename)

    def name_new_values(self, filename: Any) -> None:
        """Remember a file name for every value that was appended to ``self._list`` since the last call.

        Values that an overridden :meth:`update` appends get their file names from here; calling it twice is harmless.

        Args:
            filename: path of the case's image, or several.
        """
        size = self._values().size
        if size < len(self._file_names):  # user code emptied the list itself and has begun anew
            self._file_names = [""] * (size - 1)
        self._file_names.extend([text_of(filename)] * (size - len(self._file_names)))

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

        See :func:`~clara_compat.common.metric_report.write_reports`.

        Raises:
            ClaraError: the folder or a file cannot be written.
        """
        if self.report_path is None:
            return
        self.name_new_values("")
        values = [*self._values(), *[math.nan] * len(self._invalid_file_names)]
        names = [*self._file_names, *self._invalid_file_names]
        files = [name or f"case_{number}" for number, name in enumerate(names, start=1)]
        write_reports(self.report_path, self.name, files, values)

    def _stored(self, number: float) -> float:
        """Return what is kept of a valid number."""
        return number

    def _values(self) -> np.ndarray[Any, Any]:
        """Return ``self._list`` as a flat array; user code may have set it to None or a list."""
        return np.empty(0) if self._list is None else np.ravel(np.asarray(self._list, dtype=float))


def text_of(filename: Any) -> str:
    """Return a file name, or several, as text.

    Args:
        filename: a path as text, bytes or path-like, or a list of them.
    """
    if isinstance(filename, (bytes, bytearray)):
        return filename.decode(errors="replace")
    if isinstance(filename, (list, tuple, np.ndarray)):
        return ", ".join(text_of(name) for name in filename)
    return str(filename)
