"""Clara's ``ComputeAccuracy``."""

from __future__ import annotations

from collections.abc import Sequence

from clara_compat.common.label_format import label_sizes
from clara_compat.components.aux_ops.native import NativeOperation, may_be_logits
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry

__all__ = ["ComputeAccuracy"]


class ComputeAccuracy(NativeOperation):
    """The fraction of labels of a batch that are predicted right (clara-3.1 engine facts, section 2.7).

    Args:
        tag: name of the value.
        use_sigmoid: the outputs of binary labels are logits.
        do_summary: average the value over a training epoch, for TensorBoard.
        do_print: the same, for the console.
    """

    fidelity = assumed(
        "the arguments are documented, the rule is not: a binary label is predicted by its output reaching 0.5, any "
        "other by the greatest of its outputs; use_sigmoid has no effect on a network that ends in sigmoid or softmax; "
        "all labels of all cases count alike, save those that are no class"
    )
    becomes = "clara_compat.engine.aux_classification.Accuracy"

    def __init__(self, tag: str, use_sigmoid: bool = False, do_summary: bool = True, do_print: bool = True) -> None:
        NativeOperation.__init__(self, [tag], do_summary, do_print)
        self.tag = tag
        self.use_sigmoid = use_sigmoid

    def notices(self, context: BundleContext) -> list[str]:
        """Say that a second activation is left out."""
        if not self.use_sigmoid or may_be_logits(context):
            return []
        return [
            f"use_sigmoid has no effect: the model's outputs have gone through its {context.final_activation} already"
        ]

    def check_labels(self, outputs: int, labels: int, declared: Sequence[int] | None) -> None:
        """Refuse outputs and labels that do not fit each other."""
        label_sizes(outputs, labels, declared)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the operation."""
        return Entry(
            self.becomes,
            tags=[self.tag],
            use_sigmoid=self.use_sigmoid and may_be_logits(context),
            classes_per_label=list(context.label_format) if context.label_format else None,
            do_summary=self.do_summary,
            do_print=self.do_print,
        )
