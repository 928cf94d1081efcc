"""Learning rate policies: pure functions of the state of a training.

They are evaluated before every step, by :class:`~clara_compat.engine.handlers.train_events.TrainEvents`. As they keep
nothing, a resumed training has the learning rates it would have had, and a user's policy can call them.

Source: clara-3.1 engine facts, section 2.4.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from clara_compat.common.train_ctx import TrainContext
from clara_compat.engine.metrics.compare import greater

__all__ = ["CosineDecay", "LearningRatePolicy", "PlateauDecay", "PolynomialDecay", "StepDecay", "plateaus"]


class LearningRatePolicy(Protocol):
    """Says what the learning rate of the next step is."""

    def evaluate(self, train_ctx: TrainContext) -> float:
        """Return the learning rate of the step ``train_ctx.current_iteration``.

        Args:
            train_ctx: the state of the training.
        """


@dataclass(frozen=True)
class StepDecay:
    """The learning rate is multiplied by ``ratio`` after every ``every`` steps.

    Args:
        ratio: the factor.
        every: a number of steps, at least 1.
    """

    ratio: float
    every: int

    def evaluate(self, train_ctx: TrainContext) -> float:
        """Return the learning rate of the step.

        Args:
            train_ctx: the state of the training.
        """
        done = train_ctx.current_iteration - 1
        return train_ctx.initial_learning_rate * self.ratio ** (done // self.every)


@dataclass(frozen=True)
class CosineDecay:
    """``initial * rate * (1 + cos(pi * epochs done / all epochs))``: half a cosine from ``2 * rate`` towards 0.

    Args:
        rate: half of what the first epoch's learning rate is of the initial one.
    """

    rate: float = 0.5

    def evaluate(self, train_ctx: TrainContext) -> float:
        """Return the learning rate of the epoch.

        Args:
            train_ctx: the state of the training.
        """
        return train_ctx.initial_learning_rate * self.rate * (1.0 + math.cos(math.pi * _progress(train_ctx)))


@dataclass(frozen=True)
class PolynomialDecay:
    """``initial * (1 - epochs done / all epochs) ** power``.

    Args:
        power: 1 is a straight line.
    """

    power: float = 0.9

    def evaluate(self, train_ctx: TrainContext) -> float:
        """Return the learning rate of the epoch.

        Args:
            train_ctx: the state of the training.
        """
        return train_ctx.initial_learning_rate * (1.0 - _progress(train_ctx)) ** self.power


@dataclass(frozen=True)
class PlateauDecay:
    """The learning rate is multiplied by ``ratio`` when ``patience`` validations in a row gave no better key metric.

    Args:
        patience: a number of validations, at least 1; counting begins anew after each reduction.
        ratio: the factor.
    """

    patience: int
    ratio: float

    def evaluate(self, train_ctx: TrainContext) -> float:
        """Return the learning rate after the validations so far.

        Args:
            train_ctx: the state of the training.
        """
        return train_ctx.initial_learning_rate * self.ratio ** plateaus(train_ctx.key_metrics, self.patience)


def plateaus(values: Iterable[float], patience: int) -> int:
    """Return how often ``patience`` values in a row were not better than the best before them.

    Args:
        values: of the key metric, validation by validation; a nan is never better.
        patience: at least 1; counting begins anew after each plateau.
    """
    best, waited, found = math.nan, 0, 0
    for value in values:
        if greater(value, best):
            best, waited = value, 0
        else:
            waited += 1
        if waited == patience:
            found, waited = found + 1, 0
    return found


def _progress(train_ctx: TrainContext) -> float:
    """Return which part of the epochs is done, from 0 to below 1."""
    return (train_ctx.current_epoch - 1) / train_ctx.total_epochs
