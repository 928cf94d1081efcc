"""Clara's ``SGD``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import exact
from clara_compat.components.optimizers.native import NativeOptimizer
from clara_compat.components.optimizers.optimizer import Optimizer

__all__ = ["SGD"]


class SGD(NativeOptimizer):
    """Gradient descent, TensorFlow 1's ``GradientDescentOptimizer`` (clara-3.1 engine facts, section 2.3).

    Args:
        use_locking: accepted; there is nothing to lock here.
        name: accepted; TensorFlow's name for the operations.
    """

    fidelity = exact()
    becomes = "torch.optim.SGD"

    def __init__(self, use_locking: bool = False, name: str = "GradientDescent") -> None:
        Optimizer.__init__(self, use_locking=use_locking, name=name)

    def options(self) -> dict[str, Any]:
        """Return none."""
        return {}
