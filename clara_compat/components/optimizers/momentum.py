"""Clara's ``Momentum``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import exact
from clara_compat.components.optimizers.native import NativeOptimizer, require_not_negative
from clara_compat.components.optimizers.optimizer import Optimizer

__all__ = ["Momentum"]


class Momentum(NativeOptimizer):
    """Gradient descent with momentum, TensorFlow 1's ``MomentumOptimizer`` (clara-3.1 engine facts, section 2.3).

    Args:
        momentum: what remains of the accumulated gradient in each step.
        use_locking: accepted; there is nothing to lock here.
        name: accepted; TensorFlow's name for the operations.
        use_nesterov: Nesterov's momentum.

    Raises:
        ClaraError: a negative momentum.
    """

    fidelity = exact()
    becomes = "torch.optim.SGD"

    def __init__(
        self, momentum: float, use_locking: bool = False, name: str = "Momentum", use_nesterov: bool = False
    ) -> None:
        Optimizer.__init__(self, momentum=momentum, use_locking=use_locking, name=name, use_nesterov=use_nesterov)
        require_not_negative(momentum=momentum)
        self.momentum = momentum
        self.use_nesterov = use_nesterov

    def options(self) -> dict[str, Any]:
        """Return the momentum; without one there is no Nesterov's either, which torch refuses."""
        return {"momentum": self.momentum, "nesterov": self.use_nesterov and self.momentum > 0}
