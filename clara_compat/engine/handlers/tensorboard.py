"""TensorBoard events of a run: loss, learning rate, each metric by its name."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import torch
from ignite.engine import Engine, Events
from monai.handlers.tensorboard_handlers import TensorBoardHandler
from monai.utils import CommonKeys
from torch.utils.tensorboard import SummaryWriter

from clara_compat.engine.distributed.gather import is_first
from clara_compat.engine.handlers.event_file import go_on_when_full
from clara_compat.engine.handlers.kept import before_saving, keep
from clara_compat.engine.handlers.statistics import validated

__all__ = ["TensorBoardScalars"]


_WAITING = 200
"""Values that may wait for the disk. TensorBoard's own number is 10, fewer than a few steps written together have: with
a slow disk the training would wait."""


class _Step(NamedTuple):
    """What is written of a training step; the loss stays on its device until then."""

    iteration: int
    loss: torch.Tensor
    learning_rate: float
    seconds: float


class _Nobody:
    """In the place of a writer, on processes that write no files: whatever it is asked or told, it does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self


class TensorBoardScalars(TensorBoardHandler):
    """Writes ``train_loss`` and ``learning_rate`` by step, ``epoch_loss`` and every metric by epoch.

    Clara's own tag names are not documented; these are ours. The losses of several steps are fetched from the device
    together, so that it is not waited for at each one. TensorBoard writes in a thread of its own; the training waits
    for that at the end of an epoch and before a checkpoint is written, when everything must be in the file.

    Args:
        log_dir: folder of the event file.
        evaluator: the validation engine, if any.
        interval: steps between training summaries (Clara's ``train_summary_recording_interval``); 0 writes them once
            per epoch.
        leave_out: validation metrics that are not written (Clara's ``do_summary`` false).
        every: steps that are written together, at the latest at the end of the epoch.
    """

    def __init__(
        self,
        log_dir: str,
        evaluator: Engine | None = None,
        interval: int = 1,
        leave_out: Sequence[str] = (),
        every: int = 20,
    ) -> None:
        super().__init__(SummaryWriter(log_dir, max_queue=_WAITING) if is_first() else _Nobody())
        self.internal_writer = is_first()  # closed with the handler
        if is_first():
            go_on_when_full(self._writer)
        self.leave_out = frozenset(leave_out)
        self.evaluator = evaluator
        self.interval = interval
        self.every = every
        self._pending: list[_Step] = []
        self._written = 0

    @property
    def writer(self) -> Any:
        """TensorBoard's writer, for others who write to the same file; closed when the training ends."""
        return self._writer

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after its statistics handler."""
        if self.interval > 0:
            engine.add_event_handler(Events.ITERATION_COMPLETED(every=self.interval), self._iteration)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._epoch)
        engine.add_event_handler(Events.COMPLETED, self._end)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)
        before_saving(engine, self._settle)
        keep(engine, "tensorboard", self)

    def state_dict(self) -> dict[str, Any]:
        """Return the last step that the event files hold."""
        return {"written": self._written}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Have TensorBoard leave out what an interrupted training wrote of later steps: they are made again.

        Args:
            state: what :meth:`state_dict` of the training returned whose steps count.
        """
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        self._written = state["written"]
        start = Event(session_log=SessionLog(status=SessionLog.START))
        writer: Any = self._writer
        writer.file_writer.add_event(start, self._written + 1)

    def _settle(self, engine: Engine) -> None:
        self._write_steps()
        self._writer.flush()
        self._written = engine.state.iteration

    def _iteration(self, engine: Engine) -> None:
        loss = engine.state.output[CommonKeys.LOSS].detach()
        rate = engine.optimizer.param_groups[0]["lr"]
        self._pending.append(_Step(engine.state.iteration, loss, rate, time.time()))
        if len(self._pending) >= self.every:
            self._write_steps()

    def _write_steps(self) -> None:
        pending, self._pending = self._pending, []
        losses = torch.stack([step.loss for step in pending]).tolist() if pending else []
        for step, loss in zip(pending, losses, strict=True):
            self._writer.add_scalar("train_loss", loss, step.iteration, walltime=step.seconds)
            self._writer.add_scalar("learning_rate", step.learning_rate, step.iteration, walltime=step.seconds)

    def _epoch(self, engine: Engine) -> None:
        self._write_steps()
        epoch = engine.state.epoch
        self._writer.add_scalar("epoch_loss", engine.state.epoch_loss, epoch)
        if self.interval == 0:
            self._writer.add_scalar("learning_rate", engine.optimizer.param_groups[0]["lr"], epoch)
        for name, value in engine.state.metrics.items():
            if name not in getattr(engine.state, "unsummarised", ()):
                self._writer.add_scalar(f"train_{name}", value, epoch)
        found = validated(engine, self.evaluator)
        if found is not None:
            for name, value in found.metrics.items():
                if name in self.leave_out:
                    continue
                self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def _end(self, engine: Engine) -> None:
        self.close()

    def _fail(self, engine: Engine, error: BaseException) -> None:
        """Close the file; the last handler of this event, of :class:`Progress`, raises the error again."""
        with suppress(RuntimeError):  # a device that failed gives nothing back: the error at hand says why
            self._write_steps()
        self.close()
