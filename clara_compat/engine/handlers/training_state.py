"""What a checkpoint holds, and a training that goes on from it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from ignite.engine import Engine

from clara_compat.engine.distributed.gather import everybody, rank
from clara_compat.engine.generators import generator_states, set_generators
from clara_compat.engine.handlers.data_lists import data_digests, warn_of_other_lists
from clara_compat.engine.handlers.kept import kept_states, restore
from clara_compat.engine.handlers.train_events import TrainEvents
from clara_compat.engine.matching import match_weights
from clara_compat.engine.plain_data import plain_data
from clara_compat.errors import ClaraError

__all__ = ["Place", "TrainingState"]

logger = logging.getLogger("clara_compat")

_SHOWN = 3
_MOST_THREADS = 1024


@dataclass(frozen=True)
class Place:
    """Where a training is.

    Args:
        epoch: epochs of which all steps are done.
        steps: steps done in the next one.
        pending: the last of these epochs lacks its end: validation, statistics, handlers.
        ended: a handler or a threshold ended the training early.
    """

    epoch: int
    steps: int = 0
    pending: bool = False
    ended: bool = False


class TrainingState:
    """Everything that a training needs to go on as if it had not been interrupted.

    Mixed precision is bfloat16, which needs no scaling of the loss: there is no state of a scaler. The data side has no
    state, its draws are a function of seed, epoch and position.

    Args:
        network: the network.
        optimizer: its optimiser.
        evaluator: the validation engine, if any.
        events: learning rate policy and handlers, if any.
        loss: a loss with variables of its own, if it has some.
        seeds: of the run, by name.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        evaluator: Engine | None = None,
        events: TrainEvents | None = None,
        loss: torch.nn.Module | None = None,
        seeds: Mapping[str, int] | None = None,
    ) -> None:
        self.network = network
        self.optimizer = optimizer
        self.evaluator = evaluator
        self.events = events
        self.loss = loss
        self.seeds = dict(seeds or {})
        self._settings = [_settings(group) for group in optimizer.param_groups]
        self._lists: dict[str, str] | None = None

    def content(self, engine: Engine, *, pending: bool = False, ended: bool = False) -> dict[str, Any]:
        """Return what a checkpoint holds: tensors and plain data.

        Args:
            engine: the trainer, between two steps or in the end of an epoch.
            pending: see :class:`Place`.
            ended: see :class:`Place`.
        """
        best = None
        if self.evaluator is not None:
            state = self.evaluator.state
            best = {"name": state.key_metric_name, "value": state.best_metric, "epoch": state.best_metric_epoch}
        content = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "trainer": dict(engine.state_dict()),
            "best": best,
            "events": None if self.events is None else self.events.state_dict(),
            **({} if self.loss is None else {"loss": self.loss.state_dict()}),
            "pending": pending,
            "ended": ended,
            "seeds": self.seeds,
            "data": self._data(engine),
            "threads": torch.get_num_threads(),
            "settings": {"optimizer": _name(self.optimizer), "groups": self._settings},
            "handlers": kept_states(engine),
            "processes": everybody(generator_states()),
        }
        try:
            plain = {name: plain_data(value) for name, value in content.items()}
        except TypeError as error:
            raise ClaraError(
                f"a checkpoint cannot hold {error}, which the state of the network, the loss or the optimizer "
                f"'{_name(self.optimizer)}' has: return tensors, numbers and texts from state_dict()"
            ) from error
        return {**plain, "network": content["network"]}  # with the versions of its layers, which torch keeps beside it

    def apply(self, engine: Engine, content: Mapping[str, Any]) -> Place:
        """Go on from a checkpoint; the generators are left to :meth:`set_generators`.

        Args:
            engine: the trainer, which has not started.
            content: of the checkpoint.

        Raises:
            ClaraError: network, loss or optimizer are not those of the checkpoint.
        """
        _load_weights(self.network, content["network"], "network")
        if self.loss is not None and isinstance(content.get("loss"), dict):
            _load_weights(self.loss, content["loss"], "loss")
        self._load_optimizer(content)
        if self.events is not None and content.get("events") is not None:
            self.events.load_state_dict(content["events"])
        self._load_best(content.get("best"))
        restore(engine, content.get("handlers", {}))
        warn_of_other_lists(content.get("data", {}), self._data(engine))
        if "threads" in content:
            torch.set_num_threads(min(content["threads"], _MOST_THREADS))
        place = _place(engine, content)
        engine.state.epoch = place.epoch
        engine.state.iteration = place.epoch * engine.state.epoch_length + place.steps
        return place

    def set_generators(self, content: Mapping[str, Any]) -> None:
        """Have the generators go on, when nothing else draws from them before the next step.

        Args:
            content: of the checkpoint; one of an earlier format has no states, and nothing is done.
        """
        for states in content.get("processes", [])[rank() : rank() + 1]:
            set_generators(states)

    def _data(self, engine: Engine) -> dict[str, str]:
        """Return what tells the data lists from others, which takes seconds for a hundred thousand items."""
        if self._lists is None:
            self._lists = data_digests(engine, self.evaluator)
        return self._lists

    def _load_optimizer(self, content: Mapping[str, Any]) -> None:
        known = content.get("settings", {})
        name, now = known.get("optimizer"), _name(self.optimizer)
        if name not in (None, now):
            raise ClaraError(
                f"the checkpoint is of a training with the optimizer {name}, the config has {now}: put it back, or "
                "start a new training from the weights (MMAR_CKPT)"
            )
        try:
            self.optimizer.load_state_dict(content["optimizer"])
        except (ValueError, KeyError, TypeError) as error:
            raise ClaraError(
                f"the checkpoint's optimizer is of other parameters than this one's ({error}): put the config back, or "
                "start a new training from the weights (MMAR_CKPT)"
            ) from error
        for group, before, settings in zip(
            self.optimizer.param_groups, known.get("groups", []), self._settings, strict=False
        ):
            group.update({key: value for key, value in settings.items() if before.get(key) != value})

    def _load_best(self, best: Mapping[str, Any] | None) -> None:
        if self.evaluator is None or not best:
            return
        state = self.evaluator.state
        if best["name"] != state.key_metric_name:
            logger.warning(
                "the key metric was %s and is %s: the best model is chosen anew", best["name"], state.key_metric_name
            )
            return
        state.best_metric, state.best_metric_epoch = best["value"], best["epoch"]


def _place(engine: Engine, content: Mapping[str, Any]) -> Place:
    """Return where a checkpoint stands, in epochs of the length that they have now."""
    length, before = engine.state.epoch_length, content["trainer"]["epoch_length"]
    epoch, steps = divmod(content["trainer"]["iteration"], before)
    if length != before:
        again = f"; epoch {epoch + 1} begins anew" if steps else ""
        logger.warning("an epoch had %d steps and has %d now%s", before, length, again)
        steps = 0
    return Place(epoch, steps, bool(content.get("pending")), bool(content.get("ended")))


def _load_weights(module: torch.nn.Module, weights: Mapping[str, torch.Tensor], what: str) -> None:
    match = match_weights(weights, module)
    if match.lines:
        more = f" and {len(match.lines) - _SHOWN} more" if len(match.lines) > _SHOWN else ""
        raise ClaraError(
            f"the checkpoint is of another {what} than the config's: {'; '.join(match.lines[:_SHOWN])}{more}; put the "
            "config back, or start a new training from what fits (MMAR_CKPT)"
        )
    module.load_state_dict(dict(match.taken))


def _name(optimizer: torch.optim.Optimizer) -> str:
    return type(optimizer).__name__


def _settings(group: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a group of parameters a config says: numbers, pairs of numbers, switches."""
    plain = (bool, int, float, str, type(None))
    return {
        key: value
        for key, value in group.items()
        if isinstance(value, plain)
        or (isinstance(value, (tuple, list)) and key != "params" and all(isinstance(one, plain) for one in value))
    }
