"""What training handlers and learning rate policies see.

Source: clara-3.1-engine facts, sections 2.4 and 2.8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, SupportsFloat

__all__ = ["TrainContext"]


@dataclass
class TrainContext:
    """The state of a training run, updated by the engine before each event.

    ``total_epochs`` and ``initial_learning_rate`` are assumed names of documented contents, as is counting epochs and
    iterations from 1; how a handler ended a training is not documented, so ``stop_training`` is our name; so is
    ``key_metrics``. The other names are documented or were seen. User code may set further attributes.

    Args:
        current_epoch: 1-based number of the epoch that runs; 0 before the first.
        total_epochs: number of epochs of the run.
        current_iteration: 1-based number of the step within the whole run; 0 before the first.
        total_steps: number of steps of the whole run.
        initial_learning_rate: learning rate the run began with; nan before it begins.
        current_learning_rate: learning rate of the last step; the initial one before the first.
        train_summaries_dict: training values of the last epoch that ended, by tag: ``loss``, auxiliary operations.
        validation_summaries_dict: metric values of the last validation by name.
        best_validation_epoch: epoch of the best key metric; 0 before the first validation.
        best_validation_metric: best value of the key metric (higher is better); -inf before the first validation.
        key_metrics: the key metric's value of every validation so far; nan where it is undefined.
        stop_training: a handler sets it to end the training after the current epoch.
        summary_writer: the TensorBoard writer, when there is one.
        graph: TensorFlow's graph in Clara; always None here.
        session: TensorFlow's session in Clara; always None here.
        tf_config: TensorFlow's session configuration in Clara; always None here.
    """

    current_epoch: int = 0
    total_epochs: int = 0
    current_iteration: int = 0
    total_steps: int = 0
    initial_learning_rate: float = math.nan
    current_learning_rate: float = math.nan
    train_summaries_dict: dict[str, float] = field(default_factory=dict)
    validation_summaries_dict: dict[str, float] = field(default_factory=dict)
    best_validation_epoch: int = 0
    best_validation_metric: float = -math.inf
    key_metrics: list[float] = field(default_factory=list)
    stop_training: bool = False
    summary_writer: Any = None
    graph: Any = None
    session: Any = None
    tf_config: Any = None
    _train_loss: SupportsFloat = field(default=math.nan, init=False, repr=False)

    @property
    def current_train_loss(self) -> float:
        """Loss of the last step; nan before the first. A loss on a GPU is fetched when somebody reads it."""
        self._train_loss = float(self._train_loss)
        return self._train_loss

    @current_train_loss.setter
    def current_train_loss(self, loss: SupportsFloat) -> None:
        self._train_loss = loss
