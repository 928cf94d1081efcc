"""Clara's ``NegLoss``."""

from __future__ import annotations

from clara_compat.components.aux_ops.aux_op import AuxiliaryOperation
from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.errors import ClaraError

__all__ = ["NegLoss"]


_TAKEN = ("image", "label", "loss", "model", "pred")


class NegLoss(Component, AuxiliaryOperation):
    """Minus the loss, under a tag that a metric can name as its ``field`` (clara-3.1 engine facts, section 2.7).

    Args:
        tag: name of the value.
        do_summary: average the value over a training epoch.
        do_print: show it on the console.
    """

    fidelity = assumed("in validation it is minus the loss of the whole stitched prediction, once per batch")
    becomes = "clara_compat.engine.aux_ops.NegLoss"

    def __init__(self, tag: str, do_summary: bool = True, do_print: bool = True) -> None:
        AuxiliaryOperation.__init__(self, do_summary=do_summary, do_print=do_print)
        if tag in _TAKEN:
            raise ClaraError(f"the tag '{tag}' is the name of a field of every step: choose another")
        self.tag = tag

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the operation."""
        return Entry(
            "clara_compat.engine.aux_ops.NegLoss",
            tag=self.tag,
            loss=context.loss,
            do_summary=self.do_summary,
            do_print=self.do_print,
        )
