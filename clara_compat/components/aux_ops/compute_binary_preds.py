"""Clara's ``ComputeBinaryPreds``."""

from __future__ import annotations

from collections.abc import Sequence

from clara_compat.common.label_format import label_sizes
from clara_compat.components.aux_ops.native import NativeOperation, may_be_logits
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.errors import ClaraError

__all__ = ["ComputeBinaryPreds"]


class ComputeBinaryPreds(NativeOperation):
    """The probabilities of the binary labels of a classification, for metrics that need all cases, such as ComputeAUC.

    Source: clara-3.1 engine facts, section 2.7, which has only its name.

    Args:
        binary_preds_name: tag of the probabilities, which a metric names as its ``field``.
        binary_labels_name: tag of the labels that belong to them, which a metric names as its ``label_field``.
        use_sigmoid: turn logits into probabilities; no effect on a network that ends in sigmoid or softmax.
    """

    fidelity = assumed(
        "only its name is known: the outputs of binary labels under one tag, through a sigmoid where the network does "
        "not end in sigmoid or softmax, and those labels under another; per-case values are neither averaged nor "
        "printed"
    )
    becomes = "clara_compat.engine.aux_classification.ClassProbabilities"
    undocumented = True

    def __init__(
        self,
        binary_preds_name: str = "binary_preds",
        binary_labels_name: str = "binary_labels",
        use_sigmoid: bool = True,
    ) -> None:
        NativeOperation.__init__(self, [binary_preds_name, binary_labels_name], do_summary=False, do_print=False)
        self.use_sigmoid = use_sigmoid

    def check_labels(self, outputs: int, labels: int, declared: Sequence[int] | None) -> None:
        """Refuse labels of which none is binary."""
        sizes = label_sizes(outputs, labels, declared)
        if 1 not in sizes:
            raise ClaraError(
                f"none of the labels is binary, they have {sizes} classes: use ComputeMulticlassPreds, which takes all"
            )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the operation."""
        return Entry(
            self.becomes,
            predictions_tag=self.tags[0],
            labels_tag=self.tags[1],
            binary_only=True,
            sigmoid=self.use_sigmoid and may_be_logits(context),
            classes_per_label=list(context.label_format) if context.label_format else None,
        )
