"""Clara's ``RMSProp``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import exact
from clara_compat.components.optimizers.native import NativeOptimizer, require_decays, require_not_negative
from clara_compat.components.optimizers.optimizer import Optimizer

__all__ = ["RMSProp"]


class RMSProp(NativeOptimizer):
    """RMSProp with the arguments of TensorFlow 1's ``RMSPropOptimizer`` (clara-3.1 engine facts, section 2.3).

    Args:
        decay: of the mean of the squared gradients.
        momentum: what remains of the last update in each step.
        epsilon: added to the mean square, inside the root.
        use_locking: accepted; there is nothing to lock here.
        centered: divide by the deviation of the gradients rather than by their root mean square.
        name: accepted; TensorFlow's name for the operations.

    Raises:
        ClaraError: for numbers out of range.
    """

    fidelity = exact()
    becomes = "clara_compat.engine.optimizers.rmsprop.TensorFlowRMSprop"

    def __init__(
        self,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ) -> None:
        Optimizer.__init__(
            self,
            decay=decay,
            momentum=momentum,
            epsilon=epsilon,
            use_locking=use_locking,
            centered=centered,
            name=name,
        )
        require_decays(decay=decay)
        require_not_negative(momentum=momentum, epsilon=epsilon)
        self.decay = decay
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def options(self) -> dict[str, Any]:
        """Return decay, momentum, epsilon and whether it is centered."""
        return {"decay": self.decay, "momentum": self.momentum, "eps": self.epsilon, "centered": self.centered}
