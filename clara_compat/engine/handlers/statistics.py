"""``train_stats.json``: what happened, epoch by epoch."""

from __future__ import annotations

import json
import math
import platform
import time
from collections.abc import Mapping, Sized
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import monai
import torch
from ignite.engine import Engine, Events, State
from monai.utils import CommonKeys

from clara_compat.common.files import save_json
from clara_compat.engine.distributed.gather import is_first, size
from clara_compat.engine.handlers.kept import goes_on, keep
from clara_compat.engine.step_values import StepValues

__all__ = ["TrainStatistics", "validated"]


def validated(trainer: Engine, evaluator: Engine | None) -> State | None:
    """Return the evaluator's state when the validation of the trainer's current epoch has run, else None.

    Args:
        trainer: the engine that trains.
        evaluator: the engine that validates, or None.
    """
    if evaluator is None or evaluator.state.epoch != trainer.state.epoch or not evaluator.state.metrics:
        return None
    return evaluator.state


class TrainStatistics:
    """Records loss, learning rate, metrics and seconds of every epoch and writes them after each one.

    The mean loss and the seconds of the epoch's training steps are also left in ``engine.state.epoch_loss`` and
    ``engine.state.epoch_seconds`` for other handlers. Losses stay on the device until the epoch ends.

    Args:
        path: the JSON file.
        evaluator: the validation engine, if any.
        run: facts about the run that go into the file as they are.
    """

    def __init__(self, path: str, evaluator: Engine | None = None, run: dict[str, Any] | None = None) -> None:
        self.path = Path(path)
        self.evaluator = evaluator
        self.stats: dict[str, Any] = {**(run or {}), "epochs": []}
        self._losses = StepValues()
        self._started = self._trained = 0.0

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after its validation handler."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.EPOCH_STARTED, self._epoch_start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._iteration)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._epoch)
        keep(engine, "statistics", self)

    def state_dict(self) -> dict[str, Any]:
        """Return the epochs so far, and losses (n,) and seconds of the one that runs."""
        return {"stats": self.stats, "losses": self._losses.all(), "seconds": self._trained - self._started}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another training stopped, before this one starts.

        Args:
            state: what :meth:`state_dict` of the other one returned.
        """
        self.stats = {**state["stats"], **self.stats, "epochs": state["stats"]["epochs"]}
        self._losses = StepValues(state["losses"])
        self._trained = time.perf_counter()
        self._started = self._trained - state["seconds"]

    def _start(self, engine: Engine) -> None:
        from clara_compat import __version__

        resumed = getattr(engine.state, "resumed", None)
        if resumed is not None:
            if "started" not in self.stats:
                self.stats |= self._written(engine.state.epoch)
            self.stats["resumed"] = [*self.stats.get("resumed", ()), resumed]
        self.stats |= {
            "started": self.stats.get("started", datetime.now(timezone.utc).isoformat(timespec="seconds")),
            "items": {
                "train": _items(engine),
                **({} if self.evaluator is None else {"validate": _items(self.evaluator)}),
            },
            "steps_per_epoch": engine.state.epoch_length,
            "device": _device(engine.state.device),
            "threads": torch.get_num_threads(),
            **({} if size() == 1 else {"processes": size()}),
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "monai": monai.__version__,
                "clara_compat": __version__,
            },
        }
        if self.stats["epochs"] and (resumed is not None or not self.path.exists()):
            self._save()

    def _written(self, epoch: int) -> dict[str, Any]:
        """Return what the file says of the epochs until this one: checkpoints of an earlier version do not hold it."""
        try:
            found = json.loads(self.path.read_text())
            return {**found, "epochs": [one for one in found["epochs"] if one["epoch"] <= epoch]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _epoch_start(self, engine: Engine) -> None:
        spent = 0.0
        if goes_on(engine):
            spent = self._trained - self._started
        else:
            self._losses = StepValues()
        self._trained = time.perf_counter()
        self._started = self._trained - spent

    def _iteration(self, engine: Engine) -> None:
        self._losses.append(engine.state.output[CommonKeys.LOSS])
        self._trained = time.perf_counter()

    def _epoch(self, engine: Engine) -> None:
        engine.state.epoch_loss = self._losses.all().mean().item()
        engine.state.epoch_seconds = self._trained - self._started
        record: dict[str, Any] = {
            "epoch": engine.state.epoch,
            "loss": engine.state.epoch_loss,
            "learning_rate": engine.optimizer.param_groups[0]["lr"],
            "train_metrics": _numbers(engine.state.metrics),
            "seconds": round(engine.state.epoch_seconds, 3),
        }
        state = validated(engine, self.evaluator)
        if state is not None:
            record["metrics"] = _numbers(state.metrics)
            record["validation_seconds"] = round(time.perf_counter() - self._trained, 3)
            self.stats |= {
                "key_metric": state.key_metric_name,
                "best_epoch": state.best_metric_epoch,
                "best_value": _number(state.best_metric),
            }
        skipped = getattr(engine.state, "skipped", None)
        if skipped is not None:
            record["skipped"] = skipped["epoch"]
            self.stats["skipped"] = skipped["items"]
        self.stats["epochs"].append(record)
        self.stats["steps"] = engine.state.iteration
        if hasattr(engine.state, "acceleration"):
            self.stats["accelerate"] = engine.state.acceleration
        self._save()

    def _save(self) -> None:
        if is_first():
            save_json(self.stats, self.path)


def _items(engine: Engine) -> int | None:
    """Return how many items an engine's data list has, None where it does not say."""
    dataset = getattr(getattr(engine, "data_loader", None), "dataset", None)
    return len(dataset) if isinstance(dataset, Sized) else None


def _numbers(metrics: dict[str, Any]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in metrics.items()}


def _number(value: Any) -> float | None:
    """Return a float, or None for NaN and infinity, which JSON does not have."""
    number = float(value)
    return number if math.isfinite(number) else None


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu ({platform.machine()})"
