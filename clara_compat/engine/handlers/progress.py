"""What a person sees while a run goes on: a bar per epoch, a line per epoch and validation."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from ignite.engine import Engine, Events
from monai.utils import CommonKeys

from clara_compat.engine.handlers.bar import Bar
from clara_compat.engine.handlers.statistics import validated

__all__ = ["Progress", "readable"]

logger = logging.getLogger("clara_compat")


class Progress:
    """Shows a live bar with loss and time left on a terminal or in a notebook, and logs one line per epoch.

    Args:
        evaluator: the validation engine, if any.
        leave_out: validation metrics that are not shown (Clara's ``do_print`` false).
    """

    def __init__(self, evaluator: Engine | None = None, leave_out: Sequence[str] = ()) -> None:
        self.leave_out = frozenset(leave_out)
        self.evaluator = evaluator
        self._bar = Bar()

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after its statistics handler, and to the evaluator it was given."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._epoch_start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._iteration)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._epoch)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)
        if self.evaluator is not None:
            self.evaluator.add_event_handler(Events.STARTED, self._validation_start)
            self.evaluator.add_event_handler(Events.ITERATION_COMPLETED, self._validated_item)
            self.evaluator.add_event_handler(Events.COMPLETED, self._close)
            self.evaluator.add_event_handler(Events.EXCEPTION_RAISED, self._fail)

    def _epoch_start(self, engine: Engine) -> None:
        state = engine.state
        done = state.iteration % state.epoch_length
        self._bar.open(state.epoch_length, f"epoch {state.epoch}/{state.max_epochs}", "step", done=done)

    def _iteration(self, engine: Engine) -> None:
        if self._bar.is_due:  # reading the loss waits for the device
            self._bar.note(loss=f"{engine.state.output[CommonKeys.LOSS].item():.4f}")
        self._bar.update()

    def _validation_start(self, engine: Engine) -> None:
        self._bar.open(engine.state.epoch_length, "validation", "scan", engine.network)

    def _validated_item(self, engine: Engine) -> None:
        self._bar.update()

    def _epoch(self, engine: Engine) -> None:
        state = engine.state
        hidden = getattr(state, "unprinted", ())
        extra = "".join(f", {name} {readable(value)}" for name, value in state.metrics.items() if name not in hidden)
        logger.info(
            "epoch %d/%d: loss %.4f, learning rate %.3g%s, %.1f s",
            state.epoch,
            state.max_epochs,
            state.epoch_loss,
            engine.optimizer.param_groups[0]["lr"],
            extra,
            state.epoch_seconds,
        )
        found = validated(engine, self.evaluator)
        if found is not None:
            best = " (best so far)" if found.best_metric_epoch == state.epoch else ""
            shown = {name: value for name, value in found.metrics.items() if name not in self.leave_out}
            values = ", ".join(f"{name} {readable(value)}" for name, value in shown.items())
            logger.info("validation after epoch %d: %s%s", state.epoch, values, best)

    def _close(self, engine: Engine) -> None:
        self._bar.close()

    def _fail(self, engine: Engine, error: BaseException) -> None:
        self._close(engine)
        raise getattr(engine.state, "ended_by", None) or error  # a signal's end has an exit code of its own


def readable(value: Any) -> str:
    """Return a metric for a person.

    Args:
        value: a number, or whatever a metric gives.
    """
    number = float(value)
    return "undefined" if math.isnan(number) else f"{number:.4f}"
