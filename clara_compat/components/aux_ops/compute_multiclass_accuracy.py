"""Clara's ``ComputeMulticlassAccuracy``."""

from __future__ import annotations

from collections.abc import Sequence

from clara_compat.common.label_format import label_sizes
from clara_compat.components.aux_ops.native import NativeOperation, listed_tags, may_be_logits
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.errors import ClaraError

__all__ = ["ComputeMulticlassAccuracy"]


class ComputeMulticlassAccuracy(NativeOperation):
    """The accuracy of a batch, also of each label (clara-3.1 engine facts, section 2.7, which has only its name).

    Args:
        tag: names the accuracy of all labels together.
        tags: the same, or that and the accuracy of each label.
        use_sigmoid_for_binary: the outputs of binary labels are logits; no effect on a network that ends in sigmoid or
            softmax.
        do_summary: average the values over a training epoch, for TensorBoard.
        do_print: the same, for the console.
    """

    fidelity = assumed(
        "only its name is known: as ComputeAccuracy, with a further tag for each label, and a sigmoid for binary "
        "labels where the network does not end in sigmoid or softmax"
    )
    becomes = "clara_compat.engine.aux_classification.Accuracy"
    undocumented = True

    def __init__(
        self,
        tag: str | None = None,
        tags: list[str] | str | None = None,
        use_sigmoid_for_binary: bool = True,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        NativeOperation.__init__(self, listed_tags(tag, tags), do_summary, do_print)
        self.use_sigmoid_for_binary = use_sigmoid_for_binary

    def check_labels(self, outputs: int, labels: int, declared: Sequence[int] | None) -> None:
        """Refuse outputs and labels that do not fit each other, or the number of tags."""
        sizes = label_sizes(outputs, labels, declared)
        if len(self.tags) not in (1, 1 + len(sizes)):
            raise ClaraError(
                f"{len(self.tags)} tags for {len(sizes)} labels, expected one tag for all labels, or {1 + len(sizes)} "
                "for all and each"
            )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the operation.

        Raises:
            ClaraError: a number of tags that the declared labels do not have.
        """
        if context.label_format is not None and len(self.tags) not in (1, 1 + len(context.label_format)):
            raise ClaraError(
                f"{len(self.tags)} tags for {len(context.label_format)} labels (output_label_format), expected one tag "
                f"for all labels, or {1 + len(context.label_format)} for all and each"
            )
        return Entry(
            self.becomes,
            tags=list(self.tags),
            use_sigmoid=self.use_sigmoid_for_binary and may_be_logits(context),
            classes_per_label=list(context.label_format) if context.label_format else None,
            do_summary=self.do_summary,
            do_print=self.do_print,
        )
