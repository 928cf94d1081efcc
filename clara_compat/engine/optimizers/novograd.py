"""NovoGrad as Clara 3.1 computes it.

Source: clara-3.1 engine facts, section 2.3; Ginsburg et al., "Stochastic Gradient Methods with Layer-wise Adaptive
Moments for Training of Deep Networks".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from clara_compat.engine.optimizers._parts import loss_of, parts, refuse_out_of_range

__all__ = ["ClaraNovoGrad"]


class ClaraNovoGrad(torch.optim.Optimizer):
    """NovoGrad: one second moment per parameter tensor ("layer"), the learning rate inside the first moment.

    With the gradient g of a tensor::

        v = beta2 * v + (1 - beta2) * sum(g**2)         (sum(g**2) in the first step)
        m = beta1 * m + lr * (g / sqrt(v + eps) + weight_decay * w)
        w -= m

    With ``grad_averaging`` the second term of m is multiplied by ``1 - beta1``. MONAI's ``Novograd`` adds epsilon to
    the root, lets a changed learning rate act on past gradients, too, overwrites the gradients, and waits for the
    device once per tensor and step; this one does not wait.

    Args:
        params: parameters, or groups of them.
        lr: learning rate.
        betas: decays of m and v, at least 0 and below 1.
        eps: added to v inside the root.
        weight_decay: L2 penalty, decoupled from v.
        grad_averaging: a moving average rather than a moving sum.

    Raises:
        ValueError: a value is out of range.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.95, 0.98),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        grad_averaging: bool = False,
    ) -> None:
        refuse_out_of_range(lr=lr, beta1=betas[0], beta2=betas[1], eps=eps, weight_decay=weight_decay)
        settings = {"lr": lr, "betas": (betas[0], betas[1]), "eps": eps}
        super().__init__(params, {**settings, "weight_decay": weight_decay, "grad_averaging": grad_averaging})

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
        (beta1, beta2), lr = group["betas"], group["lr"]
        norms = torch._foreach_norm(gradients)
        squares = torch._foreach_mul(norms, norms)
        states = [self.state[weight] for weight in weights]
        for weight, square, state in zip(weights, squares, states, strict=True):
            if not state:
                state["first_moment"] = torch.zeros_like(weight)
                state["second_moment"] = square.clone()  # the mean of it and itself, below, is itself
        seconds = [state["second_moment"] for state in states]
        torch._foreach_lerp_(seconds, squares, 1.0 - beta2)
        scales = torch._foreach_add(seconds, group["eps"])
        torch._foreach_sqrt_(scales)
        torch._foreach_reciprocal_(scales)
        share = lr * (1.0 - beta1) if group["grad_averaging"] else lr
        torch._foreach_mul_(scales, share)
        firsts = [state["first_moment"] for state in states]
        torch._foreach_mul_(firsts, beta1)
        torch._foreach_add_(firsts, torch._foreach_mul(gradients, scales))
        if group["weight_decay"]:
            torch._foreach_add_(firsts, weights, alpha=share * group["weight_decay"])
        torch._foreach_sub_(weights, firsts)
