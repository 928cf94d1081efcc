"""The base of all learning rate policies.

Source: clara-3.1-engine facts, sections 2.0 and 2.4.
"""

from __future__ import annotations

from clara_compat.common.train_ctx import TrainContext

__all__ = ["LRPolicy"]


class LRPolicy:
    """Says what the learning rate shall be next.

    When Clara asked is not documented (`assumed`: before every step, as it fed the learning rate with each).

    Example::

        class WarmUp(LRPolicy):
            def evaluate(self, train_ctx):
                return train_ctx.initial_learning_rate * min(1.0, train_ctx.current_epoch / 5)
    """

    def evaluate(self, train_ctx: TrainContext) -> float:
        """Return the new learning rate.

        Args:
            train_ctx: the state of the training: epoch, iteration, first and current rate, metrics.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement evaluate(train_ctx)")
