"""Clara's ``NovoGrad``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import assumed
from clara_compat.components.optimizers.native import NativeOptimizer, require_decays, require_not_negative
from clara_compat.components.optimizers.optimizer import Optimizer

__all__ = ["NovoGrad"]


class NovoGrad(NativeOptimizer):
    """NovoGrad, whose second moment is one number per layer (clara-3.1 engine facts, section 2.3).

    Args:
        beta1: decay of the first moment.
        beta2: decay of the second moment.
        epsilon: added to the second moment, inside the root.
        weight_decay: L2 penalty, outside the second moment.
        grad_averaging: weigh what enters the first moment by ``1 - beta1``.

    Raises:
        ClaraError: for numbers out of range.
    """

    fidelity = assumed(
        "the documented maths; that the second moment begins with the first gradient's square, as in the paper, is not "
        "documented"
    )
    becomes = "clara_compat.engine.optimizers.novograd.ClaraNovoGrad"

    def __init__(
        self,
        beta1: float = 0.95,
        beta2: float = 0.98,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        grad_averaging: bool = False,
    ) -> None:
        Optimizer.__init__(
            self,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
            grad_averaging=grad_averaging,
        )
        require_decays(beta1=beta1, beta2=beta2)
        require_not_negative(epsilon=epsilon, weight_decay=weight_decay)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self.grad_averaging = grad_averaging

    def options(self) -> dict[str, Any]:
        """Return all of its arguments by torch's names."""
        return {
            "betas": [self.beta1, self.beta2],
            "eps": self.epsilon,
            "weight_decay": self.weight_decay,
            "grad_averaging": self.grad_averaging,
        }
