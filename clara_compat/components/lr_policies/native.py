"""What the built-in learning rate policies have in common."""

from __future__ import annotations

from typing import Any

from clara_compat.common.train_ctx import TrainContext
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.lr_policies.lr_policy import LRPolicy

__all__ = ["NativePolicy"]


class NativePolicy(Component, LRPolicy):
    """A built-in policy: runs as the object ``becomes``, and answers ``evaluate`` for users who subclass it."""

    def options(self) -> dict[str, Any]:
        """Return the arguments of what it becomes."""
        raise NotImplementedError(f"{type(self).__name__} does not say its options")

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the policy."""
        return Entry(self.becomes, **self.options())

    def evaluate(self, train_ctx: TrainContext) -> float:
        """Return the learning rate of the next step."""
        return float(Entry(self.becomes).imported()(**self.options()).evaluate(train_ctx))
