"""A file with the class values of many inputs, one row each."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from clara_compat.common.files import replacing
from clara_compat.common.full_disk import why
from clara_compat.errors import ClaraError

__all__ = ["ClassTable"]


class ClassTable:
    """Rows that are kept until :meth:`write`: a file without a header, the input first, then a value per class.

    Args:
        file: the CSV file.
    """

    def __init__(self, file: str | os.PathLike[str]) -> None:
        self.file = Path(file)
        self._rows: dict[str, np.ndarray[Any, Any]] = {}
        self._earlier: dict[str, np.ndarray[Any, Any]] | None = None

    @property
    def rows(self) -> dict[str, np.ndarray[Any, Any]]:
        """The values that are kept, by input."""
        return self._rows

    def update(self, tables: Iterable[Mapping[str, np.ndarray[Any, Any]]]) -> None:
        """Keep the rows of several tables, in the order in which one process would have met them.

        Args:
            tables: of the processes that share the inputs by turns, this one's among them.
        """
        rows = [list(table.items()) for table in tables]
        self._rows = dict(row for turn in zip_longest(*rows) for row in turn if row is not None)

    def holds(self, name: str) -> bool:
        """Whether a file of an earlier run has a row of this input.

        Args:
            name: the input's, as the rows have it.

        Raises:
            ClaraError: the file cannot be read.
        """
        return name in self._read()

    def add(self, name: str, values: Any, owner: str) -> None:
        """Keep the values of one input.

        Args:
            name: the input.
            values: numbers.
            owner: what they are, for messages.

        Raises:
            ClaraError: they are none.
        """
        data = np.ravel(values)
        if data.dtype.kind not in "biuf" or not data.size:
            raise ClaraError(f"{owner} holds {values!r:.60}, expected a value per class")
        self._rows[name] = data

    def take_over(self, name: str) -> np.ndarray[Any, Any]:
        """Return the values of an earlier run, which are kept.

        Args:
            name: the input's, as the rows have it.

        Raises:
            ClaraError: there are none.
        """
        if not self.holds(name):
            raise ClaraError(f"{self.file} has no row of '{name}'")
        self._rows[name] = self._read()[name]
        return self._rows[name]

    def write(self) -> None:
        """Write the file, whole or not at all; rows of an earlier run that was looked at stay in it.

        Raises:
            ClaraError: it cannot be written.
        """
        text = io.StringIO()
        rows = {**(self._earlier or {}), **self._rows}
        csv.writer(text, lineterminator="\n").writerows([name, *map(str, row)] for name, row in rows.items())
        try:
            with replacing(self.file) as stream:
                stream.write(text.getvalue().encode())
        except OSError as error:
            raise ClaraError(f"{self.file} cannot be written: {why(error)}") from error

    def _read(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the rows of an earlier run's file, read once."""
        if self._earlier is None:
            try:
                with self.file.open(encoding="utf-8", newline="") as stream:
                    self._earlier = {row[0]: np.array(row[1:], dtype=np.float32) for row in csv.reader(stream) if row}
            except FileNotFoundError:
                self._earlier = {}
            except (OSError, ValueError, csv.Error) as error:
                raise ClaraError(f"{self.file} cannot be read: {error}") from error
        return self._earlier
