"""Clara's ``ComputeMulticlassPreds``."""

from __future__ import annotations

from collections.abc import Sequence

from clara_compat.common.label_format import label_sizes
from clara_compat.components.aux_ops.native import NativeOperation, may_be_logits
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry

__all__ = ["ComputeMulticlassPreds"]


class ComputeMulticlassPreds(NativeOperation):
    """The probabilities of all labels of a classification, for metrics that need all cases, such as ComputeAUC.

    Source: clara-3.1 engine facts, section 2.7, which has only its name.

    Args:
        multiclass_preds_name: tag of the probabilities, which a metric names as its ``field``.
        multiclass_labels_name: tag of the labels, which a metric names as its ``label_field``.
        use_sigmoid_for_binary: turn the outputs of binary labels into probabilities by the sigmoid.
        use_softmax_for_multiclass: turn the outputs of other labels into probabilities by the softmax.

    The two switches have no effect on a network that ends in sigmoid or softmax.
    """

    fidelity = assumed(
        "only its name is known: the probabilities under one tag, with the switches of the operation behind it "
        "(sigmoid for binary labels, softmax over the outputs of any other) where the network does not end in an "
        "activation of its own, and the labels under another; per-case "
        "values are neither averaged nor printed"
    )
    becomes = "clara_compat.engine.aux_classification.ClassProbabilities"
    undocumented = True

    def __init__(
        self,
        multiclass_preds_name: str = "multiclass_preds",
        multiclass_labels_name: str = "multiclass_labels",
        use_sigmoid_for_binary: bool = True,
        use_softmax_for_multiclass: bool = True,
    ) -> None:
        tags = [multiclass_preds_name, multiclass_labels_name]
        NativeOperation.__init__(self, tags, do_summary=False, do_print=False)
        self.use_sigmoid_for_binary = use_sigmoid_for_binary
        self.use_softmax_for_multiclass = use_softmax_for_multiclass

    def check_labels(self, outputs: int, labels: int, declared: Sequence[int] | None) -> None:
        """Refuse outputs and labels that do not fit each other."""
        label_sizes(outputs, labels, declared)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the operation."""
        logits = may_be_logits(context)
        return Entry(
            self.becomes,
            predictions_tag=self.tags[0],
            labels_tag=self.tags[1],
            sigmoid=self.use_sigmoid_for_binary and logits,
            softmax=self.use_softmax_for_multiclass and logits,
            classes_per_label=list(context.label_format) if context.label_format else None,
        )
