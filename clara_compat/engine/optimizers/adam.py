"""Adam as TensorFlow computes it.

Source: TensorFlow 1's ``tf.train.AdamOptimizer``; clara-3.1 engine facts, section 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from clara_compat.engine.optimizers._parts import refuse_out_of_range

__all__ = ["TensorFlowAdam"]


class TensorFlowAdam(torch.optim.Adam):
    """torch's Adam with TensorFlow's epsilon, "epsilon hat" of the Adam paper.

    In step t, with the means m of the gradients and v of their squares::

        w -= lr * sqrt(1 - beta2**t) / (1 - beta1**t) * m / (sqrt(v) + eps)

    torch divides ``sqrt(v)`` by ``sqrt(1 - beta2**t)`` before it adds epsilon, so the same step is torch's with an
    epsilon of ``eps / sqrt(1 - beta2**t)``: it costs what torch's costs. As in TensorFlow, t counts the steps of the
    optimizer: a parameter that gets no gradient at first is not handled as a newer one.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: decays of m and v, at least 0 and below 1.
        eps: TensorFlow's ``epsilon``.
        fused: one kernel for all parameters on the devices that have it (CPU, CUDA and others); None and False take
            torch's other ways, which are slower.

    Raises:
        ValueError: a value is out of range.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        *,
        fused: bool | None = True,
    ) -> None:
        refuse_out_of_range(lr=lr, beta1=betas[0], beta2=betas[1], eps=eps)
        super().__init__(params, lr=lr, betas=(betas[0], betas[1]), eps=eps, fused=fused)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters; with ``closure``, compute the loss and the gradients first and return the loss."""
        hats = [group["eps"] for group in self.param_groups]
        for group in self.param_groups:
            group["step"] = group.get("step", 0) + 1
            group["eps"] /= math.sqrt(1.0 - group["betas"][1] ** group["step"])
        try:
            return super().step(closure)
        finally:
            for group, hat in zip(self.param_groups, hats, strict=True):
                group["eps"] = hat

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a state; that of a ``torch.optim.Adam`` counts its steps per parameter only."""
        super().__setstate__(state)
        for group in self.param_groups:
            counted = [int(self.state[one]["step"]) for one in group["params"] if one in self.state]
            group.setdefault("step", max(counted, default=0))
