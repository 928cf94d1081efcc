"""The base of training handlers: one method per event.

Source: clara-3.1-engine facts, sections 2.0 and 2.8. ``start_iteration`` and ``end_iteration`` are assumed names.
"""

from __future__ import annotations

from clara_compat.common.train_ctx import TrainContext

__all__ = ["TrainHandler"]


class TrainHandler:
    """Reacts to events of a training run; a subclass overrides those it wants, the others do nothing."""

    def start_train(self, ctx: TrainContext) -> None:
        """Called once, before the first epoch."""

    def end_train(self, ctx: TrainContext) -> None:
        """Called once, after the last epoch."""

    def start_epoch(self, ctx: TrainContext) -> None:
        """Called before each epoch."""

    def end_epoch(self, ctx: TrainContext) -> None:
        """Called after each epoch."""

    def start_iteration(self, ctx: TrainContext) -> None:
        """Called before each step."""

    def end_iteration(self, ctx: TrainContext) -> None:
        """Called after each step."""

    def key_metric_computed(self, ctx: TrainContext) -> None:
        """Called after each validation that gave a value of the key metric."""
