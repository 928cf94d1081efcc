"""The handler that makes a training faster where that is safe and pays."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents
from monai.utils import CommonKeys

from clara_compat.common.levers import AUTO, GPU_DATA, levers_of
from clara_compat.engine.acceleration.clock import now
from clara_compat.engine.acceleration.gpu_data import GpuData
from clara_compat.engine.acceleration.levers import LeveredInferer, align, available, candidates, lay_out
from clara_compat.engine.acceleration.trial import Finding, cost, short, trial
from clara_compat.engine.distributed.gather import from_first, size
from clara_compat.engine.handlers.kept import keep
from clara_compat.errors import ClaraError

__all__ = ["Acceleration"]

logger = logging.getLogger("clara_compat")

_TRIALS = (3, 50, 500)
"""Steps before which a trial may be made: in its first state a network may have gradients that any rounding turns, and
then the next trial is made too."""


class Acceleration:
    """Chooses what makes a training faster, checks that it computes the same, and puts it on.

    With ``auto`` two steps are taken as they are and the second is timed. Where a trial would take no more than a small
    share of what is left of the run, one is made on copies: every candidate must give the loss and the gradients of
    the exact step within the limits of :mod:`~clara_compat.engine.acceleration.self_check`, and the fastest is taken.
    Named levers are checked in the same way, and not timed. Weights, optimiser and generators of random numbers are not
    touched by either. Where only the direction of the gradients spoke against a candidate, another trial is made later,
    when the network has begun to learn. Validations stay in float32. Where the transforms run is chosen by
    :class:`~clara_compat.engine.acceleration.gpu_data.GpuData`, after that.

    What was chosen is logged, and left in ``engine.state.acceleration`` for other handlers. A training that is resumed
    goes on with it.

    Args:
        levers: ``auto``, ``off``, or names of levers with commas between them.
        share: of the rest of the run that a trial may take.
        shortest: seconds below which no rest of a run is worth a trial.

    Raises:
        ClaraError: ``levers`` is something else.
    """

    def __init__(self, levers: str | bool = AUTO, share: float = 0.03, shortest: float = 60.0) -> None:
        try:
            asked = levers_of(levers)
        except ValueError as error:
            raise ClaraError(f"accelerate is {levers!r}, expected {error}") from error
        self.asked = None if asked is None else tuple(one for one in asked if one != GPU_DATA)
        self.data = GpuData(None if asked is None else GPU_DATA in asked)
        self.setting = str(levers)
        self.share = share
        self.shortest = shortest
        self._chosen: dict[str, Any] | None = None if self.asked != () else {"levers": []}
        self._is_on = False
        self._inferer: Any = None
        self._steps = 0
        self._trials = list(_TRIALS) if self.asked is None else [1, *_TRIALS[1:]]
        self._is_laid_out = False
        self._started: float | None = None
        self._seconds = 0.0

    def attach(self, engine: Engine) -> None:
        """Attach to MONAI's trainer, after the handler that restores a checkpoint."""
        keep(engine, "acceleration", self)
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin_epoch)
        engine.add_event_handler(Events.ITERATION_STARTED, self._before)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._after)
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self._look)

    def state_dict(self) -> dict[str, Any]:
        """Return what was chosen, for a training that goes on from here."""
        return {"chosen": self._chosen, "data": self.data.chosen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what an earlier part of the training chose; levers named in the config win over it.

        Args:
            state: what :meth:`state_dict` returned.
        """
        if self.asked is None and not (state["chosen"] or {}).get("again"):
            self._chosen = state["chosen"]
        self.data.load_state_dict(state.get("data"))

    @property
    def _is_settled(self) -> bool:
        """Whether no trial is to come."""
        return self._chosen is not None and "again" not in self._chosen

    def _start(self, engine: Engine) -> None:
        self._inferer = engine.inferer
        align(engine.optimizer)
        if self._chosen is not None:
            self._put_on(engine)

    def _begin_epoch(self, engine: Engine) -> None:
        if self.data.begin_epoch(engine, settled=self._is_settled):
            self._tell_of_data(engine)

    def _tell_of_data(self, engine: Engine) -> None:
        """Log where the transforms run, and leave it for others."""
        if self.data.told:
            logger.info("accelerate: %s", self.data.told)
        self._leave(engine)

    def _leave(self, engine: Engine) -> None:
        """Leave what is known for other handlers, as soon as the levers of the step are."""
        if self._chosen is None:
            return
        data = self.data.told
        own = "" if data and self.asked == () else sentence(self._chosen)
        engine.state.acceleration = {
            "setting": self.setting,
            **self._chosen,
            "levers": [*self._chosen["levers"], *self.data.levers],
            **({"data": self.data.chosen} if data else {}),
            "told": "; ".join(filter(None, (own, data))),
        }

    def _before(self, engine: Engine) -> None:
        self._started = None
        if self._is_settled or not self._trials or not isinstance(engine.state.batch, dict):
            return
        self._steps += 1
        if self._steps == self._trials[0]:
            del self._trials[0]
            self._chosen = from_first(lambda: self._choose(engine))
            self._put_on(engine)
            self._say()
        elif self._steps + 1 == self._trials[0]:
            self._started = now(engine)

    def _after(self, engine: Engine) -> None:
        if self._started is not None:
            self._seconds = now(engine) - self._started
        if self.data.end_step(engine):
            self._tell_of_data(engine)

    def _look(self, engine: Engine) -> None:
        """Compute a step anew in float32 where bfloat16 gave no number; only on a CPU, which is not waited for."""
        loss = engine.state.output[CommonKeys.LOSS]
        if not self._is_on or loss.is_cuda or torch.isfinite(loss):
            return
        output = engine.state.output
        output[CommonKeys.PRED] = self._inferer(output[CommonKeys.IMAGE], engine.network)
        output[CommonKeys.LOSS] = engine.loss_function(output[CommonKeys.PRED], output[CommonKeys.LABEL]).mean()
        again = {name: at for name, at in (self._chosen or {}).items() if name == "again"}  # all processes meet there
        self._chosen = {"levers": [], "reason": f"the loss was no number at step {engine.state.iteration}", **again}
        self._put_on(engine)
        self._say(logging.WARNING)

    def _choose(self, engine: Engine) -> dict[str, Any]:
        """Return the levers and how they were found, as plain data."""
        device = torch.device(engine.state.device)
        timed = self.asked is None
        combinations = (
            candidates(device, self._inferer) if timed else [available(self.asked or (), device, self._inferer)]
        )
        combinations = [one for one in combinations if one]
        before = {name: value for name, value in (self._chosen or {}).items() if name != "again"}
        reason = self._objection(engine, combinations)
        if reason:
            return before or {"levers": [], "reason": reason}
        try:
            batch = engine.prepare_batch(engine.state.batch, device, engine.non_blocking, **engine.to_kwargs)
            found = trial(engine, batch, self._inferer, combinations, timed=timed)
        except Exception as error:  # noqa: BLE001 -- whatever a user's network raises: it trains without levers
            return before or {"levers": [], "reason": short(error)}
        told = _told(found)
        if found.is_early and self._trials:
            told["again"] = self._trials[0]
        return told

    def _objection(self, engine: Engine, combinations: list[tuple[str, ...]]) -> str:
        """Return why nothing is tried; empty when something is."""
        if not combinations:
            return "nothing that was asked for can be had here"
        if size() > 1 and _synchronises(engine):
            return "the network's normalisation waits for the other processes"
        if self.asked is not None:
            return ""
        length, epochs = engine.state.epoch_length, engine.state.max_epochs
        steps = (length or 0) * (epochs or 0) - engine.state.iteration + 1
        rest = steps * self._seconds
        if rest < self.shortest or cost(len(combinations)) > self.share * steps:
            return f"what is left of the run, {steps} steps of {self._seconds:.2g} s, is too short for a trial"
        return ""

    def _put_on(self, engine: Engine) -> None:
        """Use the chosen levers from here on."""
        chosen = self._chosen or {"levers": []}
        self._leave(engine)
        levers = chosen["levers"]
        self._is_on = bool(levers)
        engine.inferer = self._inferer
        if self._is_laid_out and "channels_last" not in levers:
            lay_out(engine.network, channels_last=False)
            align(engine.optimizer)
        self._is_laid_out = "channels_last" in levers
        if not levers:
            return
        if "cudnn_benchmark" in levers:
            torch.backends.cudnn.benchmark = True
        if "channels_last" in levers:
            lay_out(engine.network, channels_last=True)
            align(engine.optimizer)
        engine.inferer = LeveredInferer(self._inferer, torch.device(engine.state.device), levers)

    def _say(self, level: int = logging.INFO) -> None:
        logger.log(level, "accelerate: %s", sentence(self._chosen or {}))


def sentence(chosen: dict[str, Any]) -> str:
    """Return in words what was chosen.

    Args:
        chosen: ``levers``, and ``reason`` or the figures of a trial.
    """
    text = ",".join(chosen["levers"]) or "off"
    if "seconds" in chosen:
        before, after = chosen["seconds"]
        text += f": {before / after:.1f} x faster ({before:.2g} s -> {after:.2g} s for forward and backward pass)"
    if "loss_difference" in chosen:
        text += f", loss differs by {chosen['loss_difference']:.1g}, cosine of the gradients {chosen['cosine']:.4f}"
    if "reason" in chosen:
        text += f": {chosen['reason']}"
    refused = "; ".join(f"{levers}: {why}" for levers, why in chosen.get("refused", {}).items())
    text += f"; not taken: {refused}" if refused else ""
    return f"{text}; tried again at step {chosen['again']}" if "again" in chosen else text


def _told(found: Finding) -> dict[str, Any]:
    told: dict[str, Any] = {"levers": list(found.levers)}
    if found.seconds is not None:
        told["seconds"] = [round(one, 6) for one in found.seconds]
    if found.agreement is not None:
        told |= {"loss_difference": found.agreement.loss, "cosine": found.agreement.cosine}
    if found.refused:
        told["refused"] = found.refused
    if not found.levers and not found.refused:
        told["reason"] = "nothing was faster"
    return told


def _synchronises(engine: Engine) -> bool:
    return any(isinstance(one, torch.nn.SyncBatchNorm) for one in engine.network.modules())
