"""The three files a run leaves its weights in."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events

from clara_compat.common.files import replacing
from clara_compat.common.records import CASES, PAGE
from clara_compat.engine.handlers.train_events import TrainEvents

__all__ = ["Checkpoints"]

logger = logging.getLogger("clara_compat")

_RESULTS = ("model.pt", "final_model.pt", "checkpoint.pt", "train_stats.json", CASES, PAGE)
"""Files of an earlier run that this one would replace."""


class Checkpoints:
    """Writes ``model.pt`` (best key metric), ``final_model.pt`` (last weights) and ``checkpoint.pt`` (to resume from).

    The first two hold the network's state dict, as MONAI bundles do; ``checkpoint.pt`` holds ``network``,
    ``optimizer``, ``trainer``, the best metric so far, what ``events`` keeps and the variables of a ``loss`` that has
    some; it is written after an epoch's last step, before the validation that could fail, and again after it. MONAI's
    ``CheckpointSaver`` is not used because it does not write atomically.

    What an earlier run left in the folder is moved to ``previous_N`` below it before the first file is written.

    Args:
        folder: where the files go.
        network: the network.
        optimizer: its optimiser.
        evaluator: the validation engine whose key metric chooses ``model.pt``; without one there is no ``model.pt``.
        events: the learning rate policy and the handlers, if there are any.
        loss: a loss whose own variables are trained too; only a training needs them.
    """

    def __init__(
        self,
        folder: str,
        network: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        evaluator: Engine | None = None,
        events: TrainEvents | None = None,
        loss: torch.nn.Module | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.network = network
        self.optimizer = optimizer
        self.evaluator = evaluator
        self.events = events
        self.loss = loss
        self._is_ours = False

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after the loss watch and before its validation handler."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._save_checkpoint)
        engine.add_event_handler(Events.COMPLETED, self._end)
        if self.evaluator is not None:
            self.evaluator.add_event_handler(Events.COMPLETED, self._validated, engine)

    def _validated(self, evaluator: Engine, trainer: Engine) -> None:
        if evaluator.state.best_metric_epoch == evaluator.state.epoch:
            self._save(self.network.state_dict(), "model.pt")
        self._save_checkpoint(trainer)

    def _save_checkpoint(self, trainer: Engine) -> None:
        best = None
        if self.evaluator is not None:
            state = self.evaluator.state
            best = {"name": state.key_metric_name, "value": state.best_metric, "epoch": state.best_metric_epoch}
        self._save(
            {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "trainer": dict(trainer.state_dict()),
                "best": best,
                "events": None if self.events is None else self.events.state_dict(),
                **({} if self.loss is None else {"loss": self.loss.state_dict()}),
            },
            "checkpoint.pt",
        )

    def _end(self, engine: Engine) -> None:
        self._save(self.network.state_dict(), "final_model.pt")

    def _save(self, content: Any, name: str) -> None:
        if not self._is_ours:
            self._keep_earlier()
            self._is_ours = True
        with replacing(self.folder / name) as stream:
            torch.save(content, stream)

    def _keep_earlier(self) -> None:
        earlier = [self.folder / name for name in _RESULTS if (self.folder / name).exists()]
        if not earlier:
            return
        number = next(n for n in itertools.count(1) if not (self.folder / f"previous_{n}").exists())
        kept = self.folder / f"previous_{number}"
        kept.mkdir()
        for file in earlier:
            file.rename(kept / file.name)
        logger.info("the results of an earlier run are kept in %s", kept)
