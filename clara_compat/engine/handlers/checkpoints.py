"""The files a run leaves its weights in, and a run that goes on from them."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events

from clara_compat.common.files import replacing, set_aside
from clara_compat.common.records import CASES, PAGE
from clara_compat.engine.checkpoint_files import CHECKPOINT, PREVIOUS, Found, read_checkpoint, write_checkpoint
from clara_compat.engine.data.batch import check_batch
from clara_compat.engine.distributed.gather import any_process, everybody, is_first
from clara_compat.engine.handlers.interruption import Interruption, StopRequest
from clara_compat.engine.handlers.kept import settle
from clara_compat.engine.handlers.train_events import TrainEvents
from clara_compat.engine.handlers.training_state import Place, TrainingState
from clara_compat.errors import ClaraError

__all__ = ["Checkpoints"]

logger = logging.getLogger("clara_compat")

_RESULTS = ("model.pt", "final_model.pt", CHECKPOINT, PREVIOUS, "train_stats.json", CASES, PAGE)
"""Files of an earlier run that this one would replace."""


class Checkpoints:
    """Writes ``model.pt`` (best key metric), ``final_model.pt`` (last weights) and ``checkpoint.pt`` (to go on from).

    The first two hold the network's state dict, as MONAI bundles do; ``checkpoint.pt`` holds what
    :class:`~clara_compat.engine.handlers.training_state.TrainingState` gathers. It is written

    - after an epoch's last step, when a validation follows, which may take long, or fail: who goes on from there makes
      the validation and the end of the epoch again;
    - at the end of an epoch, after all other handlers;
    - within an epoch, when the last one is some minutes old;
    - when SIGTERM or SIGINT ask the training to end (:class:`Interruption`), after the step that runs;
    - when the data of the next step cannot be had, such as a scan that cannot be read.

    MONAI's ``CheckpointSaver`` is not used because it does not write atomically, and keeps neither generators nor the
    place within an epoch.

    What an earlier run left in the folder is moved to ``previous_N`` below it before the first file is written, unless
    this run goes on from it.

    Args:
        folder: where the files go.
        network: the network.
        optimizer: its optimiser.
        evaluator: the validation engine whose key metric chooses ``model.pt``; without one there is no ``model.pt``.
        events: the learning rate policy and the handlers, if there are any.
        loss: a loss whose own variables are trained too; only a training needs them.
        interval: epochs between validations.
        seeds: of the run, by name.
        resume: go on from ``checkpoint.pt``, where there is one. A command line may give it as text.
        minutes: how old the last checkpoint becomes within an epoch.
    """

    def __init__(
        self,
        folder: str,
        network: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        evaluator: Engine | None = None,
        events: TrainEvents | None = None,
        loss: torch.nn.Module | None = None,
        *,
        interval: int = 1,
        seeds: Mapping[str, int] | None = None,
        resume: bool | str = False,
        minutes: float = 10.0,
    ) -> None:
        self.folder = Path(folder)
        self.state = TrainingState(network, optimizer, evaluator, events, loss, seeds)
        self.evaluator = evaluator
        self.interval = interval
        self.resume = _switch(resume)
        self.minutes = minutes
        self.interruption = Interruption()
        self._place: Place | None = None  # where this run goes on, until its first epoch starts
        self._generators: Mapping[str, Any] = {}
        self._is_ours = False
        self._is_last = False  # whether these handlers stand behind all others, too
        self._between_steps = False
        self._has_failed = False
        self._saved_step = 0
        self._saved_at = 0.0

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after the loss watch and before its validation handler."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_STARTED, self._step_starts)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._steps_done)
        engine.add_event_handler(Events.COMPLETED, self._end)
        engine.add_event_handler(Events.EXCEPTION_RAISED, self._fail)
        if self.evaluator is not None:
            self.evaluator.add_event_handler(Events.COMPLETED, self._validated)

    def _start(self, engine: Engine) -> None:
        self.interruption.install()
        engine.state.ended_by = None
        self._has_failed = False
        for name in _RESULTS if is_first() else ():  # what a process that was killed had not finished
            for torn in self.folder.glob(f".{name}.*"):
                torn.unlink(missing_ok=True)
        found = read_checkpoint(self.folder) if self.resume else None
        everybody(None)  # all have read it before one writes another
        if found is not None:
            self._go_on(engine, found)
        elif self.resume:
            logger.info("nothing to resume: there is no %s in %s; starting at the first epoch", CHECKPOINT, self.folder)
        self._saved_step, self._saved_at = engine.state.iteration, time.monotonic()
        if not self._is_last:
            self._is_last = True
            engine.add_event_handler(Events.STARTED, self._started)  # Ignite comes to it in this very round
            engine.add_event_handler(Events.EPOCH_STARTED, self._epoch_started)
            engine.add_event_handler(Events.GET_BATCH_COMPLETED, lambda one: check_batch(one.state.batch))
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._step_done)
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._epoch_done)
            self.interruption.watch(engine)
            if self.evaluator is not None:
                self.interruption.watch(self.evaluator, self.interruption.stop_asked)

    def _go_on(self, engine: Engine, found: Found) -> None:
        """Put a training where a checkpoint is."""
        self._is_ours = True
        content, length = self._with_model(found.content), engine.state.epoch_length
        try:
            place = self.state.apply(engine, content)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ClaraError(f"{found.path} holds no training that can be resumed: {error}") from error
        if place.steps and not self._begin_at(engine, place):
            logger.warning("the data loader cannot start within an epoch: epoch %d begins anew", place.epoch + 1)
            place = Place(place.epoch)
            engine.state.iteration = place.epoch * length
        self._place, self._generators = place, {"processes": content.get("processes", [])}
        if content.get("seeds", self.state.seeds) != self.state.seeds:
            logger.warning("the seeds are other ones than before: %s, not %s", self.state.seeds, content["seeds"])
        if "processes" not in content:
            logger.warning(
                "%s is of an earlier version and has no states of random generators: the results are not bit for bit "
                "those of a training in one go",
                found.path,
            )
        if not place.pending and (place.ended or place.epoch >= engine.state.max_epochs):
            logger.info("nothing to do: the training in %s has ended after epoch %d", self.folder, place.epoch)
            return
        engine.state.resumed = {
            "epoch": place.epoch + (not place.pending),
            "step": engine.state.iteration,
            "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }
        where = f"in epoch {place.epoch + 1}, after {place.steps} of {length} steps"
        if not place.steps:
            where = f"{'before the end of' if place.pending else 'after'} epoch {place.epoch}"
        logger.info("going on from %s, %s", found.path, where)

    def _with_model(self, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a checkpoint whose best metric is that of the ``model.pt`` that is there, or unknown."""
        best, model = content.get("best") or {}, self.folder / "model.pt"
        if self.evaluator is None or best.get("epoch", -1) < 1 or model.exists():
            return content
        logger.warning("%s, the best model, of epoch %d, is gone: it is chosen anew", model, best["epoch"])
        return {**content, "best": None}

    def _begin_at(self, engine: Any, place: Place) -> bool:
        """Have the data side start within an epoch; say whether it can."""
        loader = engine.data_loader
        begin = getattr(getattr(loader, "sampler", None), "begin_at", None)
        if begin is None or not loader.batch_size:
            return False
        begin(place.epoch + 1, place.steps * loader.batch_size)
        return True

    def _started(self, engine: Engine) -> None:
        if self._place is None:
            return
        self.state.set_generators(self._generators)
        if self._place.pending:
            engine.fire_event(Events.EPOCH_COMPLETED)
        if self._place.ended:
            engine.terminate()

    def _epoch_started(self, engine: Engine) -> None:
        if self._place is not None and self._place.steps:  # handlers may have drawn when the epoch started again
            self.state.set_generators(self._generators)
        self._place = None
        self._between_steps = True

    def _step_starts(self, engine: Engine) -> None:
        self._between_steps = False

    def _step_done(self, engine: Engine) -> None:
        asked = self.interruption.stop_asked()
        if engine.state.iteration % engine.state.epoch_length == 0:
            return  # the end of the epoch follows
        self._between_steps = True
        if asked:
            raise StopRequest
        if any_process(is_first() and time.monotonic() - self._saved_at >= 60 * self.minutes):
            self._save_checkpoint(engine)

    def _steps_done(self, engine: Engine) -> None:
        self._keep_earlier()
        if self.evaluator is None or engine.state.epoch % self.interval:
            return
        if engine.state.iteration > self._saved_step:
            self._save_checkpoint(engine, pending=True)
        if self.interruption.stop_asked():
            raise StopRequest

    def _validated(self, evaluator: Engine) -> None:
        if evaluator.state.best_metric_epoch == evaluator.state.epoch:
            self._save(self.state.network.state_dict(), "model.pt")

    def _epoch_done(self, engine: Engine) -> None:
        ended = bool(engine.should_terminate)
        self._save_checkpoint(engine, ended=ended)
        if self.interruption.stop_asked() and not ended and engine.state.epoch < engine.state.max_epochs:
            raise StopRequest

    def _end(self, engine: Engine) -> None:
        self._save(self.state.network.state_dict(), "final_model.pt")
        self.interruption.restore()

    def _fail(self, engine: Engine, error: BaseException) -> None:
        """Save what would be lost; the last handler of this event, of :class:`Progress`, ends the process."""
        number = self.interruption.finish()
        try:
            by_worker = self.interruption.is_alone and "DataLoader worker" in str(error)
            if number is None or not (isinstance(error, StopRequest) or by_worker):
                self._save_from(engine, error)
                return
            if self._between_steps and engine.state.iteration > self._saved_step:
                self._save_checkpoint(engine)
            engine.state.ended_by = self.interruption.ending()
            logger.warning("%s: %s", number.name, self._farewell(engine))
        finally:
            self.interruption.restore()

    def _save_from(self, engine: Engine, error: BaseException) -> None:
        """Save what was trained when the next step has no data; other errors may have come in the middle of a step."""
        if self._has_failed or not self.interruption.is_alone:
            return
        self._has_failed = True  # Ignite tells an error twice
        if not self._between_steps or engine.state.iteration <= self._saved_step:
            return
        try:
            self._save_checkpoint(engine)
        except (ClaraError, OSError, RuntimeError) as also:  # the error at hand says what is wrong
            logger.debug("no checkpoint after %s: %s", error, also)
        else:
            logger.info("%s holds all %d steps: go on with --resume", self.folder / CHECKPOINT, self._saved_step)

    def _farewell(self, engine: Engine) -> str:
        if not (self._is_ours and (self.folder / CHECKPOINT).exists()):
            return "stopped before the first step; nothing was there to be saved"
        return (
            f"stopped in epoch {engine.state.epoch} after step {self._saved_step}, {self.folder / CHECKPOINT} is "
            "written: go on with the same command and --resume (of a bundle: --resume true)"
        )

    def _save_checkpoint(self, engine: Engine, *, pending: bool = False, ended: bool = False) -> None:
        settle(engine)
        self._keep_earlier()
        content = self.state.content(engine, pending=pending, ended=ended)
        if is_first():
            write_checkpoint(content, self.folder)
        self._saved_step, self._saved_at = engine.state.iteration, time.monotonic()

    def _save(self, content: Any, name: str) -> None:
        if not is_first():  # all have the same weights
            return
        self._keep_earlier()
        with replacing(self.folder / name) as stream:
            torch.save(content, stream)

    def _keep_earlier(self) -> None:
        earlier = [self.folder / name for name in _RESULTS if (self.folder / name).exists()]
        was_ours, self._is_ours = self._is_ours, True
        if was_ours or not earlier or not is_first():
            return
        logger.info("the results of an earlier run are kept in %s", set_aside(earlier, self.folder))


def _switch(value: bool | str) -> bool:
    """Return a switch that may have come from a command line, which knows texts."""
    text = str(value).lower()
    if text not in ("true", "false"):
        raise ClaraError(f"resume is {value!r}, expected true or false")
    return text == "true"
