"""Clara's ``ProcessMulticlassPreds``."""

from __future__ import annotations

from clara_compat.common.label_format import LabelFormat
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.errors import ClaraError

__all__ = ["ProcessMulticlassPreds"]


class ProcessMulticlassPreds(NativeTransform, Transformer):
    """Turn the raw predictions of a classification network into probabilities.

    Source: clara-3.1-transforms facts, section 4.10.

    Args:
        field: field with predictions, one number (or image) per output.
        label_format: number of classes per label, 1 for a binary one; None: all outputs are of one label.
        use_sigmoid_for_binary: turn single outputs into probabilities by the sigmoid.
        use_softmax_for_multiclass: turn the outputs of a label with several classes into probabilities by the softmax.

    Raises:
        ClaraError: the label format is empty or has a number below 1.
    """

    fidelity = assumed(
        "only field was seen, the other arguments are those of the operation behind it: sigmoid for a single output, "
        "softmax over the outputs of one label; without label_format all outputs are of one label"
    )
    becomes = "clara_compat.engine.transforms.activate_predictions.ActivatePredictionsd"

    def __init__(
        self,
        field: str,
        label_format: list[int] | None = None,
        use_sigmoid_for_binary: bool = True,
        use_softmax_for_multiclass: bool = True,
    ) -> None:
        Transformer.__init__(self)
        self.field = field
        if label_format is not None:
            try:
                LabelFormat(label_format)
            except (TypeError, ValueError) as error:
                raise ClaraError(f"argument 'label_format': {error}") from None
        self.label_format = label_format
        self.use_sigmoid_for_binary = use_sigmoid_for_binary
        self.use_softmax_for_multiclass = use_softmax_for_multiclass

    def notices(self, context: BundleContext) -> list[str]:
        """Say that softmax is taken when the labels are not known."""
        if self.label_format is not None or not self.use_softmax_for_multiclass:
            return []
        text = (
            f"label_format is not given, so several outputs in '{self.field}' are taken as the classes of one label "
            "(softmax); for several binary labels write one 1 per label, such as [1, 1, 1]"
        )
        return [text]

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the activation."""
        return Entry(
            self.becomes,
            keys=self.field,
            classes_per_label=self.label_format,
            sigmoid=self.use_sigmoid_for_binary,
            softmax=self.use_softmax_for_multiclass,
        )
