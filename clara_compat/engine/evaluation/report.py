"""What an evaluation leaves behind besides the writers' files: figures per case, as JSON."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from ignite.metrics import Metric

from clara_compat.common.files import save_json
from clara_compat.engine.data.skipping import STOP, SkippedItems
from clara_compat.engine.distributed.gather import everybody, from_first, is_first, merged_on_first, size
from clara_compat.engine.evaluation.step import Case, EvaluateCases
from clara_compat.engine.metrics.case_values import CaseValues
from clara_compat.errors import ClaraError

__all__ = ["CaseReport"]

logger = logging.getLogger("clara_compat")


class CaseReport:
    """Keeps the value of every metric for every case, lets the writers finish, and writes a JSON file at the end.

    It attaches the metrics itself: MONAI's engines want one that chooses the best of several runs. The fields of a case
    are let go as soon as the metrics have read them. Where cases that cannot be read are left out, ``skipped`` names
    them; an evaluation of which that is more than half ends.

    Args:
        path: the JSON file; None keeps its content in ``content`` only.
        step: knows the cases and has the writers.
        metrics: by name.
        run: what else the file says of the run.
    """

    def __init__(
        self,
        path: str | Path | None,
        step: EvaluateCases,
        metrics: Mapping[str, Metric] | None = None,
        run: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.content: dict[str, Any] = {}
        """What the file holds, at the end."""
        self.step = step
        self.metrics = dict(metrics or {})
        self.run = dict(run or {})
        self._values = CaseValues(self.metrics)
        self._ends: list[int] = []
        self._skipped = SkippedItems((), "")
        self._started = 0.0

    def attach(self, engine: Engine) -> None:
        """Attach the metrics and this handler to an evaluator."""
        for name, metric in self.metrics.items():
            metric.attach(engine, name)
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._case)
        engine.add_event_handler(Events.COMPLETED, self._end)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._keep)

    def _start(self, engine: Engine) -> None:
        self._started = time.perf_counter()
        self._ends = []
        self._skipped = SkippedItems(engine.data_loader.dataset.data, "evaluate")
        self._values.reset()

    def _case(self, engine: Engine) -> None:
        cases = self.step.cases[len(self.step.cases) - len(engine.state.batch["image"]) :]
        self._ends.append(len(self.step.cases))
        for name, values in self._values.take(len(cases)).items():
            for case, value in zip(cases, values or [math.nan] * len(cases), strict=True):
                case.metrics[name] = value
        engine.state.output = engine.state.batch = None
        if new := self.step.left_out[len(self._skipped.items) :]:
            self._skipped.enter(new, 1)
            self._skipped.check_half()

    def _keep(self, engine: Engine, error: BaseException) -> None:
        """Keep the results of the cases that are done; a later handler of this event raises the error again."""
        if not self.step.cases or not is_first():
            return
        try:
            self._finalize()
        except ClaraError as further:  # the first error is the one to tell
            logger.warning("the results of the cases before it could not be finished: %s", further)

    def _finalize(self) -> None:
        for writer in self.step.writers if self.step.writes else ():
            writer.finalize()

    def _gather(self) -> None:
        """Take the cases of all processes to the first one, and leave none to the others."""
        for writer in self.step.writers if self.step.writes else ():
            writer.collect()
        self._skipped = self._skipped.of_all(everybody(self._skipped.told()))
        self._skipped.check_half()
        self.step.cases = merged_on_first([self.step.cases[one:end] for one, end in pairwise([0, *self._ends])])

    def _end(self, engine: Engine) -> None:
        if size() > 1:
            self._gather()
        self.content = from_first(lambda: self._written(engine))

    def _written(self, engine: Engine) -> dict[str, Any]:
        self._finalize()
        content = {
            **self.run,
            "metrics": {name: float(engine.state.metrics[name]) for name in self.metrics},
            "cases": [_told(case) for case in self.step.cases],
            **({} if self.step.on_bad_item == STOP else {"skipped": self._skipped.told()}),
            "seconds": time.perf_counter() - self._started,
            "device": str(engine.state.device),
            "threads": torch.get_num_threads(),
            **({} if size() == 1 else {"processes": size()}),
        }
        found: dict[str, Any] = _jsonable(content)
        if self.path is not None:
            save_json(found, self.path)
        return found


def _told(case: Case) -> dict[str, Any]:
    told = {one.name: getattr(case, one.name) for one in fields(case) if one.name != "slice"}
    return {**told, "seconds": round(case.seconds, 3)}


def _jsonable(value: Any) -> Any:
    """Return the value without NaN, which JSON lacks."""
    if isinstance(value, Mapping):
        return {name: _jsonable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
