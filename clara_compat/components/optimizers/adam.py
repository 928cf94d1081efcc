"""Clara's ``Adam``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import exact
from clara_compat.components.optimizers.native import NativeOptimizer, require_decays, require_not_negative
from clara_compat.components.optimizers.optimizer import Optimizer

__all__ = ["Adam"]


class Adam(NativeOptimizer):
    """Adam with the arguments of TensorFlow 1's ``AdamOptimizer`` (clara-3.1 engine facts, section 2.3).

    Args:
        beta1: decay of the mean of the gradients.
        beta2: decay of the mean of their squares.
        epsilon: added to the root of the mean square, before the correction of its bias.
        use_locking: accepted; there is nothing to lock here.
        name: accepted; TensorFlow's name for the operations.

    Raises:
        ClaraError: for numbers out of range.
    """

    fidelity = exact()
    becomes = "clara_compat.engine.optimizers.adam.TensorFlowAdam"

    def __init__(
        self,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        Optimizer.__init__(self, beta1=beta1, beta2=beta2, epsilon=epsilon, use_locking=use_locking, name=name)
        require_decays(beta1=beta1, beta2=beta2)
        require_not_negative(epsilon=epsilon)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def options(self) -> dict[str, Any]:
        """Return both decays and epsilon."""
        return {"betas": [self.beta1, self.beta2], "eps": self.epsilon}
