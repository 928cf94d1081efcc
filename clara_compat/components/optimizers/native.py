"""What the built-in optimizers have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.finite import require_finite
from clara_compat.components.optimizers.optimizer import Optimizer
from clara_compat.errors import ClaraError

__all__ = ["NativeOptimizer", "require_decays", "require_not_negative"]


class NativeOptimizer(Component, Optimizer):
    """A built-in optimizer: runs as the torch optimizer ``becomes``, and answers users who subclass it."""

    def options(self) -> dict[str, Any]:
        """Return the torch optimizer's arguments besides the parameters and the learning rate."""
        raise NotImplementedError(f"{type(self).__name__} does not say its options")

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the optimizer of what is trained."""
        return Entry(self.becomes, params=context.parameters, lr=context.learning_rate, **self.options())

    def get_optimizer(self, lr: Any) -> Callable[..., Any]:
        """Return what makes the torch optimizer of given parameters, as a user's subclass calling it expects."""
        return functools.partial(Entry(self.becomes).imported(), lr=lr, **self.options())


def require_decays(**values: float) -> None:
    """Check that values are at least 0 and below 1.

    Raises:
        ClaraError: with the argument's name.
    """
    for name, value in values.items():
        if not 0.0 <= value < 1.0:
            raise ClaraError(f"{name} is {value} but must be at least 0 and below 1")


def require_not_negative(**values: float) -> None:
    """Check that values are finite and not negative.

    Raises:
        ClaraError: with the argument's name.
    """
    require_finite(**values)
    for name, value in values.items():
        if value < 0.0:
            raise ClaraError(f"{name} is {value} but must not be negative")
