"""The base of training handlers: one method per event.

Source: clara-3.1-engine facts, sections 2.0 and 2.8. ``start_iteration`` and ``end_iteration`` are assumed names.
"""

from __future__ import annotations

from clara_compat.common.train_ctx import TrainContext

__all__ = ["TrainHandler"]


class TrainHandler:
    """Reacts to events of a training run; a subclass overrides those it wants, the others do nothing.

    Example::

        class StopWhenGood(TrainHandler):
            def key_metric_computed(self, ctx):
                ctx.stop_training = ctx.best_validation_metric > 0.95
    """

    def start_train(self, ctx: TrainContext) -> None:
        """Called once, before the first epoch.

        Args:
            ctx: the state of the training; the same object at every event.
        """

    def end_train(self, ctx: TrainContext) -> None:
        """Called once, after the last epoch.

        Args:
            ctx: the state of the training.
        """

    def start_epoch(self, ctx: TrainContext) -> None:
        """Called before each epoch.

        Args:
            ctx: the state of the training; ``current_epoch`` is the one that begins.
        """

    def end_epoch(self, ctx: TrainContext) -> None:
        """Called after each epoch.

        Args:
            ctx: the state of the training.
        """

    def start_iteration(self, ctx: TrainContext) -> None:
        """Called before each step.

        Args:
            ctx: the state of the training.
        """

    def end_iteration(self, ctx: TrainContext) -> None:
        """Called after each step.

        Args:
            ctx: the state of the training.
        """

    def key_metric_computed(self, ctx: TrainContext) -> None:
        """Called after each validation that gave a value of the key metric.

        Args:
            ctx: the state of the training, with the validation's metrics.
        """
