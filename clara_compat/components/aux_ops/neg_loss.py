"""Clara's ``NegLoss``."""

from __future__ import annotations

from typing import Any

from clara_compat.common.build_ctx import BuildContext
from clara_compat.components.aux_ops.native import NativeOperation
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry

__all__ = ["NegLoss"]


class NegLoss(NativeOperation):
    """Minus the loss, under a tag that a metric can name as its ``field`` (clara-3.1 engine facts, section 2.7).

    Args:
        tag: name of the value.
        do_summary: average the value over a training epoch, for TensorBoard.
        do_print: the same, for the console.
    """

    fidelity = assumed("in validation it is minus the loss of the whole stitched prediction, once per batch")
    becomes = "clara_compat.engine.aux_ops.NegLoss"

    def __init__(self, tag: str, do_summary: bool = True, do_print: bool = True) -> None:
        NativeOperation.__init__(self, [tag], do_summary, do_print)
        self.tag = tag

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the operation."""
        return Entry(
            self.becomes,
            tag=self.tag,
            loss=context.loss,
            do_summary=self.do_summary,
            do_print=self.do_print,
        )

    def get_output_tensors(self, predictions: Any, label: Any, build_ctx: BuildContext) -> dict[str, Any]:
        """Return minus the loss of the step, for users who subclass this."""
        return {self.tag: -build_ctx.must_get(BuildContext.KEY_LOSS)}
