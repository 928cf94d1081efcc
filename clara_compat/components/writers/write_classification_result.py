"""Clara's ``WriteClassificationResult``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clara_compat.common.class_table import ClassTable
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry
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
    becomes = "clara_compat.engine.transforms.write_classes.WriteClassesd"

    def __init__(self, field: str, write_path: str) -> None:
        EvalWriter.__init__(self, field)
        self.write_path = checked_write_path(write_path, self)
        if not field.isidentifier():
            raise ClaraError(f"argument 'field' is '{field}', expected a name: the file is named after it")
        self._table = ClassTable(self.file)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return what collects the values and writes them."""
        return Entry(self.becomes, key=self.field, file=os.path.join(context.mmar, self.write_path, self.file.name))

    @property
    def file(self) -> Path:
        """The file."""
        return Path(self.write_path) / f"preds_{self.field}.csv"

    def check_results_exist(self, input_file_name: str) -> bool:
        """Whether a file of an earlier run has a row of this input."""
        return self._table.holds(str(input_file_name))

    def write(self, input_file_name: str, data_dict: Mapping[str, Any]) -> None:
        """Keep the values of one input for :meth:`finalize`.

        Raises:
            ClaraError: the field holds no numbers.
        """
        value = data_dict[self.field]
        data = value.get_data() if isinstance(value, MedicalImage) else value
        self._table.add(str(input_file_name), data, f"WriteClassificationResult: '{self.field}'")

    def load_results(self, input_file_name: str, transform_ctx: TransformContext) -> None:
        """Put the values of an earlier run into the context, and keep them for :meth:`finalize`.

        Raises:
            ClaraError: there are none.
        """
        transform_ctx[self.field] = self._table.take_over(str(input_file_name))

    def finalize(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            ClaraError: it cannot be written.
        """
        self._table.write()
