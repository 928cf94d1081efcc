"""Clara's ``WriteClassificationResult``."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clara_compat.common.files import replacing
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.writers._case_writer import checked_write_path
from clara_compat.components.writers.eval_writer import EvalWriter
from clara_compat.errors import ClaraError

__all__ = ["WriteClassificationResult"]


class WriteClassificationResult(EvalWriter, Component):
    """Write the class values of all evaluated items to one file, at the end.

    Source: clara-3.1-engine facts, section 2.10; clara-3.1-transforms facts, section 2.6.

    Args:
        field: field that holds one value per class.
        write_path: folder of the file; a relative one starts from the MMAR's root.
    """

    fidelity = assumed(
        "one file, written at the end, is documented, its name and columns are not: preds_<field>.csv with a row for "
        "each input, its file and a value for each class"
    )
    becomes = "monai.handlers.ClassificationSaver"

    def __init__(self, field: str, write_path: str) -> None:
        EvalWriter.__init__(self, field)
        self.write_path = checked_write_path(write_path, self)
        if not field.isidentifier():
            raise ClaraError(f"argument 'field' is '{field}', expected a name: the file is named after it")
        self._rows: dict[str, np.ndarray] = {}
        self._earlier: dict[str, np.ndarray] | None = None

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the handler that collects and writes."""
        return Entry(
            self.becomes,
            output_dir=os.path.join(context.mmar, self.write_path),
            filename=self.file.name,
            batch_transform=Expression("$lambda batch: [item['image'].meta for item in batch]"),
            output_transform=Expression(f"$monai.handlers.from_engine('{self.field}')"),
        )

    @property
    def file(self) -> Path:
        """The file."""
        return Path(self.write_path) / f"preds_{self.field}.csv"

    def check_results_exist(self, input_file_name: str) -> bool:
        """Whether a file of an earlier run has a row of this input."""
        return str(input_file_name) in self._read()

    def write(self, input_file_name: str, data_dict: Mapping[str, Any]) -> None:
        """Keep the values of one input for :meth:`finalize`.

        Raises:
            ClaraError: the field holds no numbers.
        """
        value = data_dict[self.field]
        data = np.ravel(value.get_data() if isinstance(value, MedicalImage) else value)
        if data.dtype.kind not in "biuf" or not data.size:
            raise ClaraError(
                f"WriteClassificationResult: '{self.field}' holds {value!r:.60}, expected a value per class"
            )
        self._rows[str(input_file_name)] = data

    def load_results(self, input_file_name: str, transform_ctx: TransformContext) -> None:
        """Put the values of an earlier run into the context, and keep them for :meth:`finalize`.

        Raises:
            ClaraError: there are none.
        """
        earlier = self._read()
        if str(input_file_name) not in earlier:
            raise ClaraError(f"{self.file} has no row of '{input_file_name}'")
        self._rows[str(input_file_name)] = transform_ctx[self.field] = earlier[str(input_file_name)]

    def finalize(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            ClaraError: it cannot be written.
        """
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([name, *map(str, row)] for name, row in self._rows.items())
        try:
            with replacing(self.file) as stream:
                stream.write(text.getvalue().encode())
        except OSError as error:
            raise ClaraError(f"{self.file} cannot be written: {error.strerror or error}") from error

    def _read(self) -> dict[str, np.ndarray]:
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
