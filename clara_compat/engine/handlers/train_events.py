"""What goes along with a training: its learning rate policy, its handlers, and reasons to end it early.

Source: clara-3.1 engine facts, sections 1.5, 2.0, 2.4 and 2.8.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.utils import CommonKeys

from clara_compat.common.blame import users_code
from clara_compat.common.train_ctx import TrainContext
from clara_compat.common.train_handler import TrainHandler
from clara_compat.engine.distributed.gather import any_process
from clara_compat.engine.handlers.users_state import has_state, plain_state
from clara_compat.engine.lr_policies import LearningRatePolicy
from clara_compat.errors import ClaraError

__all__ = ["TrainEvents"]

logger = logging.getLogger("clara_compat")

_KEPT = (
    "key_metrics", "best_validation_epoch", "best_validation_metric", "validation_summaries_dict",
    "train_summaries_dict", "current_epoch", "current_iteration", "current_train_loss", "stop_training",
)  # fmt: skip
"""What of the context a resumed training needs and nothing else knows."""


class TrainEvents:
    """Keeps one :class:`TrainContext` up to date and hands it to a learning rate policy and to training handlers.

    The events of an epoch in their order (Clara's own is documented in part, the rest is `assumed`)::

        start_train (once)
        start_epoch
            policy.evaluate, start_iteration, the step, end_iteration    (for each step)
            the validation, when it is due, the best model is saved
            key_metric_computed                                          (after a validation with a key metric)
        end_epoch
        end_train (once, also after an early end)

    The learning rate that the policy returns is the network's in that step; a group of parameters that the optimizer
    began with another rate than ``learning_rate`` keeps its proportion. The loss of a step is fetched from the device
    only when somebody reads it. A training ends early, after an epoch, when a handler has set
    ``ctx.stop_training`` or the key metric of its validation has reached ``stop_threshold``.

    Args:
        optimizer: whose learning rate it is.
        learning_rate: the initial one.
        evaluator: the validation engine, if any.
        policy: says the learning rate of every step; None leaves it as it is.
        handlers: objects with some of :class:`TrainHandler`'s methods.
        stop_threshold: the value of the key metric that is enough; None for no such value.
        writer: TensorBoard's writer, for the context.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        learning_rate: float,
        evaluator: Engine | None = None,
        policy: LearningRatePolicy | None = None,
        handlers: Sequence[Any] = (),
        stop_threshold: float | None = None,
        writer: Any = None,
    ) -> None:
        self.context = TrainContext(
            initial_learning_rate=learning_rate, current_learning_rate=learning_rate, summary_writer=writer
        )
        self.optimizer = optimizer
        self.evaluator = evaluator
        self.policy = policy
        self.stop_threshold = stop_threshold
        self._proportions = [group["lr"] / learning_rate for group in optimizer.param_groups]
        self._methods = {event: list(_methods(handlers, event)) for event in vars(TrainHandler) if event[0] != "_"}
        self._handlers = list(handlers)
        self._reason = "stop_training was set"

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after its checkpoints, its validation handler and its statistics handler."""
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        engine.add_event_handler(Events.ITERATION_STARTED, self._start_iteration)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._end_iteration)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._end_epoch)
        engine.add_event_handler(Events.COMPLETED, self._end)
        if self.evaluator is not None:
            self.evaluator.add_event_handler(Events.EPOCH_COMPLETED, self._measured)
            self.evaluator.add_event_handler(Events.COMPLETED, self._validated)

    def state_dict(self) -> dict[str, Any]:
        """Return what the steps and validations so far have left in the context, and the states of those that have one.

        Raises:
            ClaraError: a user's ``state_dict`` returns something that a checkpoint cannot hold.
        """
        return {
            **{name: copy.copy(getattr(self.context, name)) for name in _KEPT},
            "reason": self._reason,
            "users": {name: plain_state(thing, name) for name, thing in self._users().items() if has_state(thing)},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another training stopped, before this one starts.

        Args:
            state: what :meth:`state_dict` of the other one returned.
        """
        for name in _KEPT:
            if name in state:
                setattr(self.context, name, copy.copy(state[name]))
        self._reason = state.get("reason", self._reason)
        kept = state.get("users", {})
        for name, thing in self._users().items():
            if not has_state(thing):
                logger.warning("%s has no state_dict and load_state_dict: what it kept is not brought back", name)
            elif name in kept:
                with users_code(f"{name}, load_state_dict"):
                    thing.load_state_dict(kept[name])

    def _users(self) -> dict[str, Any]:
        """Return the policy and the handlers that are users' own by what messages call them."""
        named = {f"handler {number} '{type(one).__name__}'": one for number, one in enumerate(self._handlers, 1)}
        if self.policy is not None:
            named[f"learning rate policy '{type(self.policy).__name__}'"] = self.policy
        return {name: one for name, one in named.items() if not type(one).__module__.startswith("clara_compat.")}

    def _start(self, engine: Engine) -> None:
        state, ctx = engine.state, self.context
        ctx.total_epochs = state.max_epochs
        ctx.total_steps = state.max_epochs * state.epoch_length
        if self._proportions[0]:  # a resumed optimizer has the rate of its last step
            ctx.current_learning_rate = self.optimizer.param_groups[0]["lr"] / self._proportions[0]
        self.state_dict()  # what a checkpoint could not hold is said now
        self._fire("start_train")

    def _start_epoch(self, engine: Engine) -> None:
        self.context.current_epoch = engine.state.epoch
        self._fire("start_epoch")

    def _start_iteration(self, engine: Engine) -> None:
        self.context.current_iteration = engine.state.iteration
        if self.policy is not None:
            self._set_learning_rate(self.policy)
        self._fire("start_iteration")

    def _set_learning_rate(self, policy: LearningRatePolicy) -> None:
        ctx, name = self.context, type(policy).__name__
        with users_code(f"learning rate policy '{name}'"):
            value = policy.evaluate(ctx)
        try:
            rate = float(value)
        except (TypeError, ValueError):
            rate = math.nan
        if not 0.0 <= rate < math.inf:
            raise ClaraError(
                f"learning rate policy '{name}' returned {value!r} before step {ctx.current_iteration}: evaluate must "
                "return the learning rate, a number that is at least 0"
            )
        ctx.current_learning_rate = rate
        for group, proportion in zip(self.optimizer.param_groups, self._proportions, strict=True):
            group["lr"] = rate * proportion

    def _end_iteration(self, engine: Engine) -> None:
        self.context.current_train_loss = engine.state.output[CommonKeys.LOSS].detach()
        self._fire("end_iteration")

    def _measured(self, evaluator: Engine) -> None:
        """Take the values of a validation over, before anything is saved that has to hold them."""
        state, ctx = evaluator.state, self.context
        ctx.validation_summaries_dict = {name: float(value) for name, value in state.metrics.items()}
        if state.key_metric_name is not None:
            ctx.key_metrics.append(ctx.validation_summaries_dict[state.key_metric_name])
            ctx.best_validation_epoch = state.best_metric_epoch
            ctx.best_validation_metric = float(state.best_metric)

    def _validated(self, evaluator: Engine) -> None:
        name = evaluator.state.key_metric_name
        if name is None:
            return
        self._fire("key_metric_computed")
        value = self.context.key_metrics[-1]
        if self.stop_threshold is not None and value >= self.stop_threshold:
            self.context.stop_training = True
            self._reason = f"{name} is {value:.4f} and has reached stop_threshold {self.stop_threshold:g}"

    def _end_epoch(self, engine: Engine) -> None:
        metrics = {name: float(value) for name, value in engine.state.metrics.items()}
        self.context.train_summaries_dict = {CommonKeys.LOSS.value: engine.state.epoch_loss, **metrics}
        self._fire("end_epoch")
        if any_process(self.context.stop_training):
            engine.terminate()

    def _end(self, engine: Engine) -> None:
        if engine.state.epoch < engine.state.max_epochs:
            logger.info("the training ends after epoch %d: %s", engine.state.epoch, self._reason)
        self._fire("end_train")

    def _fire(self, event: str) -> None:
        ctx = self.context
        for name, method in self._methods[event]:
            asked = ctx.stop_training
            with users_code(f"handler '{name}', {event}"):
                method(ctx)
            if ctx.stop_training and not asked:
                self._reason = f"handler '{name}' asked for it"


def _methods(handlers: Sequence[Any], event: str) -> list[tuple[str, Callable[[TrainContext], Any]]]:
    """Return the handlers' methods for an event with the names of their classes, without those that do nothing."""
    nothing = getattr(TrainHandler, event)
    return [
        (type(handler).__name__, getattr(handler, event))
        for handler in handlers
        if getattr(type(handler), event, nothing) is not nothing
    ]
