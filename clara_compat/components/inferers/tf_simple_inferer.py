"""Clara's ``TFSimpleInferer``."""

from __future__ import annotations

from clara_compat.components.component import Component, exact
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.inferers.inferer import Inferer

__all__ = ["TFSimpleInferer"]


class TFSimpleInferer(Component, Inferer):
    """Gives the whole input to the network at once (clara-3.1 engine facts, section 2.9)."""

    fidelity = exact()
    becomes = "monai.inferers.SimpleInferer"

    def __init__(self) -> None:
        Inferer.__init__(self, predictor=None)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the inferer."""
        return Entry("SimpleInferer")
