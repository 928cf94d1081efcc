"""Clara's ``Adam``."""

from __future__ import annotations

from clara_compat.components.component import Component, approximate
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.optimizers.optimizer import Optimizer
from clara_compat.errors import ClaraError

__all__ = ["Adam"]


class Adam(Component, Optimizer):
    """Adam with the arguments of TensorFlow 1's ``AdamOptimizer`` (clara-3.1 engine facts, section 2.3).

    Args:
        beta1: decay of the mean of the gradients.
        beta2: decay of the mean of their squares.
        epsilon: added to the root of the mean square.
        use_locking: accepted; there is nothing to lock here.
        name: accepted; TensorFlow's name for the operations.

    Raises:
        ClaraError: for numbers out of range.
    """

    fidelity = approximate(
        "TensorFlow adds epsilon before the bias correction of the mean square, torch after it: in step t torch's is "
        "sqrt(1 - beta2^t) times as large in effect (1/32 in step 1), which shows only in gradients near epsilon"
    )
    becomes = "torch.optim.Adam"

    def __init__(
        self,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ) -> None:
        Optimizer.__init__(self, beta1=beta1, beta2=beta2, epsilon=epsilon, use_locking=use_locking, name=name)
        for argument, value in (("beta1", beta1), ("beta2", beta2)):
            if not 0.0 <= value < 1.0:
                raise ClaraError(f"{argument} is {value} but must be at least 0 and below 1")
        if epsilon < 0:
            raise ClaraError(f"epsilon is {epsilon} but must not be negative")
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the optimizer of the network's parameters."""
        return Entry(
            "torch.optim.Adam",
            params=Expression(f"${context.network}.parameters()"),
            lr=context.learning_rate,
            betas=[self.beta1, self.beta2],
            eps=self.epsilon,
        )
