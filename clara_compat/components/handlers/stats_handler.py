"""Clara's ``StatsHandler``."""

from __future__ import annotations

from clara_compat.common.train_handler import TrainHandler
from clara_compat.components.component import Component, approximate
from clara_compat.components.entry import BundleContext, Entry

__all__ = ["StatsHandler"]


class StatsHandler(Component, TrainHandler):
    """Collects the statistics of a training (clara-3.1 engine facts, section 2.8)."""

    fidelity = approximate("adds nothing: every training records its statistics, in train_stats.json and TensorBoard")
    becomes = "nothing: statistics are always recorded"

    def __init__(self) -> None:
        TrainHandler.__init__(self)

    def bundle_entry(self, context: BundleContext) -> list[Entry]:
        """Return no entry."""
        return []
