"""What a person sees while an evaluation goes on: a bar over the cases, a line per case."""

from __future__ import annotations

import logging
import math

from ignite.engine import Engine, Events

from clara_compat.engine.distributed.gather import size
from clara_compat.engine.evaluation.step import EvaluateCases
from clara_compat.engine.handlers.bar import Bar
from clara_compat.engine.handlers.progress import readable

__all__ = ["CaseProgress"]

logger = logging.getLogger("clara_compat")


class CaseProgress:
    """Shows a live bar on a terminal or in a notebook, and logs a line at the start and one per case with its metrics.

    Attach it after the report that gathers the metrics of a case.

    Args:
        step: knows the cases.
        total: number of cases.
    """

    def __init__(self, step: EvaluateCases, total: int) -> None:
        self.step = step
        self.total = total
        self._bar = Bar()
        self._done = self._left_out = 0

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._case)
        engine.add_event_handler(Events.COMPLETED, self._close)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _start(self, engine: Engine) -> None:
        logger.info("evaluating %d case%s on %s", self.total, "" if self.total == 1 else "s", engine.state.device)
        self.total = math.ceil(self.total / size())  # those of this process
        self._bar.open(self.total, "evaluation", "case", engine.network)

    def _case(self, engine: Engine) -> None:
        for case in self.step.cases[self._done :]:
            self._done += 1
            self._bar.update()
            values = "".join(f", {name} {readable(value)}" for name, value in case.metrics.items())
            how = "taken from an earlier run" if case.reused else f"{case.seconds:.1f} s"
            logger.info("case %d/%d %s: %s%s", self._done, self.total, case.name, how, values)

        for _ in self.step.left_out[self._left_out :]:
            self._left_out += 1
            self._bar.update()

    def _close(self, engine: Engine) -> None:
        self._bar.close()

    def _fail(self, engine: Engine, error: BaseException) -> None:
        self._close(engine)
        raise error
