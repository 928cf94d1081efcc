"""What a person sees while an evaluation goes on: a bar over the cases, a line per case."""

from __future__ import annotations

import logging
import time
from typing import Any

from ignite.engine import Engine, Events
from tqdm.auto import tqdm

from clara_compat.engine.evaluation.step import EvaluateCases
from clara_compat.engine.handlers.progress import readable, watched

__all__ = ["CaseProgress"]

logger = logging.getLogger("clara_compat")


class CaseProgress:
    """Shows a live bar on a terminal or in a notebook, and logs one line per case with its metrics.

    Attach it after the report that gathers the metrics of a case.

    Args:
        step: knows the cases.
        total: number of cases.
    """

    def __init__(self, step: EvaluateCases, total: int) -> None:
        self.step = step
        self.total = total
        self._bar: Any = None
        self._hook: Any = None
        self._windows = 0
        self._shown = 0.0
        self._done = 0

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._case)
        engine.add_event_handler(Events.COMPLETED, self._close)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _start(self, engine: Engine) -> None:
        self._bar = tqdm(
            total=self.total, desc="evaluation", unit="case", leave=False, dynamic_ncols=True, disable=not watched()
        )
        if not self._bar.disable:  # one scan can take minutes: count the windows its inferer looks through
            self._hook = engine.network.register_forward_hook(self._window)

    def _window(self, *_: Any) -> None:
        self._windows += 1
        now = time.perf_counter()
        if now - self._shown > 0.5:
            self._shown = now
            self._bar.set_postfix(windows=self._windows)

    def _case(self, engine: Engine) -> None:
        self._windows = 0
        for case in self.step.cases[self._done :]:
            self._done += 1
            self._bar.update()
            values = "".join(f", {name} {readable(value)}" for name, value in case.metrics.items())
            how = "taken from an earlier run" if case.reused else f"{case.seconds:.1f} s"
            logger.info("case %d/%d %s: %s%s", self._done, self.total, case.name, how, values)

    def _close(self, engine: Engine) -> None:
        if self._bar is not None:
            self._bar.close()
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _fail(self, engine: Engine, error: BaseException) -> None:
        self._close(engine)
        raise error
