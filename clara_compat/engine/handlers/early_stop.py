"""End a training whose key metric no longer improves.

Source: clara-3.1 engine facts, section 2.8.
"""

from __future__ import annotations

from clara_compat.common.train_ctx import TrainContext
from clara_compat.common.train_handler import TrainHandler
from clara_compat.engine.lr_policies import plateaus

__all__ = ["EarlyStop"]


class EarlyStop(TrainHandler):
    """Ends a training when ``patience`` validations in a row gave no better key metric.

    It looks at all validations of the run and keeps nothing, so a resumed training ends when it would have ended.
    Ignite's ``EarlyStopping`` takes a value that is not a number for an improvement.

    Args:
        patience: a number of validations, at least 1.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def key_metric_computed(self, ctx: TrainContext) -> None:
        """Ask for the end after a validation, when it is time."""
        if plateaus(ctx.key_metrics, self.patience):
            ctx.stop_training = True
