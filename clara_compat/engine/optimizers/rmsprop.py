"""RMSProp as TensorFlow computes it.

Source: TensorFlow 1's ``tf.train.RMSPropOptimizer``; clara-3.1 engine facts, section 2.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from clara_compat.engine.optimizers._parts import loss_of, parts, refuse_out_of_range

__all__ = ["TensorFlowRMSprop"]


class TensorFlowRMSprop(torch.optim.Optimizer):
    """RMSProp with epsilon inside the root, a mean square that begins at 1, and the learning rate inside the momentum.

    With the gradient g, the mean square v (and, ``centered``, the mean gradient a)::

        v = decay * v + (1 - decay) * g**2
        a = decay * a + (1 - decay) * g
        m = momentum * m + lr * g / sqrt(v - a**2 + eps)
        w -= m

    torch's begins v at 0, adds epsilon to the root, and lets a changed learning rate act on past gradients, too.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        decay: of the means, at least 0 and below 1.
        momentum: of the updates.
        eps: TensorFlow's ``epsilon``.
        centered: estimate the variance of the gradient rather than its mean square.

    Raises:
        ValueError: a value is out of range.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        decay: float = 0.9,
        momentum: float = 0.0,
        eps: float = 1e-10,
        centered: bool = False,
    ) -> None:
        refuse_out_of_range(lr=lr, decay=decay, momentum=momentum, eps=eps)
        settings = {"lr": lr, "decay": decay, "momentum": momentum, "eps": eps, "centered": centered}
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters; with ``closure``, compute the loss and the gradients first and return the loss.

        Raises:
            RuntimeError: a gradient is sparse.
        """
        loss = loss_of(closure)
        for group in self.param_groups:
            for weights, gradients in parts(group["params"]):
                self._update(group, weights, gradients)
        return loss

    def _update(self, group: dict[str, Any], weights: list[torch.Tensor], gradients: list[torch.Tensor]) -> None:
        decay, lr = group["decay"], group["lr"]
        squares = self._values(weights, "mean_square", torch.ones_like)
        torch._foreach_mul_(squares, decay)
        torch._foreach_addcmul_(squares, gradients, gradients, 1.0 - decay)
        roots = torch._foreach_add(squares, group["eps"])
        if group["centered"]:
            means = self._values(weights, "mean_gradient", torch.zeros_like)
            torch._foreach_mul_(means, decay)
            torch._foreach_add_(means, gradients, alpha=1.0 - decay)
            torch._foreach_addcmul_(roots, means, means, -1.0)
        torch._foreach_sqrt_(roots)
        if group["momentum"]:
            updates = self._values(weights, "momentum", torch.zeros_like)
            torch._foreach_mul_(updates, group["momentum"])
            torch._foreach_addcdiv_(updates, gradients, roots, lr)
            torch._foreach_sub_(weights, updates)
        else:
            torch._foreach_addcdiv_(weights, gradients, roots, -lr)

    def _values(
        self, weights: list[torch.Tensor], name: str, first: Callable[[torch.Tensor], torch.Tensor]
    ) -> list[torch.Tensor]:
        """Return what is kept of each parameter under ``name``, made by ``first`` where it is not there yet."""
        states = [self.state[weight] for weight in weights]
        for weight, state in zip(weights, states, strict=True):
            if name not in state:
                state[name] = first(weight)
        return [state[name] for state in states]
