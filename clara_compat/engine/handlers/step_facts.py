"""What a network or loss written for Clara may ask about the running step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ignite.engine import Engine, Events

__all__ = ["StepFacts"]


class StepFacts:
    """Tells networks and losses the image, label and learning rate of every training step before its forward pass.

    In Clara these were tensors of the graph that both could use: ``BuildContext`` promises them (clara-3.1 engine
    facts, section 2.0). After the step image and label are taken back: a validation has others.

    Args:
        modules: each with a method ``step(image, label, learning_rate)``, and ``constrain()``, which is called after
            each step of the optimizer; wrappers that hold one as ``module`` are looked through.
        optimizer: knows the learning rate.
    """

    def __init__(self, modules: Sequence[torch.nn.Module], optimizer: torch.optim.Optimizer) -> None:
        self._told = [_unwrapped(module) for module in modules]
        self.optimizer = optimizer

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer."""
        self.optimizer.register_step_post_hook(self._constrain)
        engine.add_event_handler(Events.ITERATION_STARTED, self._tell)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._take_back)

    def _tell(self, engine: Engine) -> None:
        batch = engine.state.batch
        if not isinstance(batch, dict):  # a failed item, which the step tells
            return
        for name in ("image", "label"):  # the step need not fetch them again
            batch[name] = batch[name].to(engine.state.device, non_blocking=True)
        for one in self._told:
            one.step(image=batch["image"], label=batch["label"], learning_rate=self.optimizer.param_groups[0]["lr"])

    def _constrain(self, *_: Any) -> None:
        for one in self._told:
            one.constrain()

    def _take_back(self, engine: Engine) -> None:
        for one in self._told:
            one.step(image=None, label=None)


def _unwrapped(module: Any) -> Any:
    while not hasattr(module, "step") and hasattr(module, "module"):
        module = module.module
    return module
