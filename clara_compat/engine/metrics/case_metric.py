"""The base of Clara's validation metrics: one value, or one row of values, per case."""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import torch
from ignite.engine import Engine
from ignite.metrics import Metric
from monai.data import MetaTensor
from monai.utils import CommonKeys

from clara_compat.common.metric_report import write_reports
from clara_compat.engine.distributed.gather import is_first, merged, size
from clara_compat.engine.distributed.shares import own_images
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError, suggestion

__all__ = ["CaseMetric", "file_names"]


class CaseMetric(Metric):
    """Collects the values of every case of a validation and averages them at its end.

    It reads ``engine.state.output`` as MONAI's engines leave it with ``decollate=False``, a dictionary of batched
    tensors, and what else ``engine.state.batch`` holds. A case's value is the mean of its row, the validation's value
    the mean over the cases; what is not finite is left out of both, and a validation without any finite value has the
    value 0, as in the metric of the Clara 3.1 page "Bring your own components". With a ``report_path`` every validation
    ends with the two files of :func:`~clara_compat.common.metric_report.write_reports`.

    Args:
        name: the metric's name, for reports and messages.
        report_path: folder for the reports; none are written without it.
    """

    per_case: ClassVar[bool] = True
    """Whether the mean of a case's row is the metric of that case; an area under a curve needs all cases."""

    def __init__(self, name: str, report_path: str | os.PathLike[str] | None = None) -> None:
        self.name = name
        self.report_path = report_path
        super().__init__()

    kept: ClassVar[tuple[str, ...]] = ("files", "values")
    """Lists of one length with something for every case; those of all processes become one."""

    def reset(self) -> None:
        """Forget the cases of the last validation."""
        self._ends: list[int] = []
        self.files: list[str] = []
        self.values: list[np.ndarray] = []

    @abstractmethod
    def case_values(self, output: MutableMapping[str, Any]) -> Sequence[Any]:
        """Return the values of a batch: per case a number or a row of numbers, or one item for the whole batch.

        Args:
            output: the engine's output: tensors (N, ...) by field.
        """

    @torch.no_grad()
    def iteration_completed(self, engine: Engine) -> None:
        """Take the values of the batch the engine has just computed.

        Args:
            engine: the evaluator.
        """
        batch = engine.state.batch if isinstance(engine.state.batch, dict) else {}
        if own_images(engine):
            self.update(ChainMap(engine.state.output, batch), file_names(engine.state.batch))
        self._ends.append(len(self.values))

    @torch.no_grad()
    def update(self, output: MutableMapping[str, Any], files: Sequence[str] = ()) -> None:
        """Take the values of a batch.

        Args:
            output: fields of the step: tensors (N, C, spatial...) and scalars.
            files: the file of every case; cases without one are numbered.

        Raises:
            ClaraError: when a field is missing or of the wrong shape.
        """
        values = self.case_values(output)
        names = list(files) if len(files) == len(values) else [";".join(files)] * len(values)
        for name, value in zip(names, values, strict=True):
            self.files.append(name or f"case_{len(self.files) + 1}")
            self.values.append(np.atleast_1d(np.asarray(value, dtype=np.float64)))

    def compute(self) -> float:
        """Return the mean over the cases of the mean over each case's finite values."""
        return _finite_mean([_finite_mean(row, np.nan) for row in self.values], 0.0)

    def completed(self, engine: Engine, name: str) -> None:
        """Put the validation's value into ``engine.state.metrics`` and write the reports.

        Args:
            engine: the evaluator.
            name: the metric's name.
        """
        self._gather()
        super().completed(engine, name)
        if is_first():
            self.write_report()

    def _gather(self) -> None:
        """Take the cases of the other processes in, in the order of one process."""
        if size() == 1:
            return
        cases = list(zip(*(getattr(self, name) for name in self.kept), strict=True))
        all_cases = merged([cases[start:end] for start, end in pairwise([0, *self._ends])])
        for position, name in enumerate(self.kept):
            setattr(self, name, [case[position] for case in all_cases])
        unnamed = re.compile(r"case_\d+")
        self.files = [f"case_{i + 1}" if unnamed.fullmatch(name) else name for i, name in enumerate(self.files)]

    def write_report(self) -> None:
        """Write the values of all cases and their summaries into ``report_path``; without one, nothing."""
        if self.report_path is not None:
            write_reports(self.report_path, self.name, self.files, self.values)

    def field(self, output: MutableMapping[str, Any], field: str) -> Any:
        """Return a field of the output, a tensor without its metadata.

        Args:
            output: the engine's output.
            field: the name.

        Raises:
            ClaraError: when nothing produced that field.
        """
        if field not in output:
            known = ["model" if key == CommonKeys.PRED else str(key) for key in output]
            raise ClaraError(
                f"metric '{self.name}' reads field '{field}', which nothing produces{suggestion(field, known)} "
                f"(fields here: {', '.join(sorted(known))})"
            )
        return plain(output[field])


def _finite_mean(values: Sequence[float] | np.ndarray, otherwise: float) -> float:
    """Return the mean of the finite values, or ``otherwise`` when there is none."""
    array = np.asarray(values, dtype=np.float64)
    finite = array[np.isfinite(array)]
    return float(finite.mean()) if finite.size else otherwise


def file_names(batch: Any) -> list[str]:
    """Return the file of every image of a batch, as far as the images' metadata tell.

    Args:
        batch: what the loader gave.
    """
    image = batch.get(CommonKeys.IMAGE) if isinstance(batch, Mapping) else None
    names = image.meta.get("filename_or_obj", ()) if isinstance(image, MetaTensor) else ()
    names = [names] if isinstance(names, (str, bytes, os.PathLike)) else names
    return [os.fsdecode(name) if isinstance(name, (bytes, os.PathLike)) else str(name) for name in names]
