"""Clara's ``ReplaceLabels``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["ReplaceLabels"]


class ReplaceLabels(NativeTransform, MultiFieldTransformer):
    """Replace label values by others, all at the same time: 1 -> 2 and 2 -> 1 swaps them.

    Source: clara-3.1-transforms facts, sections 4.9 and 10.

    Args:
        fields: fields that hold labels.
        input_labels: values to replace.
        output_labels: what each of them becomes.

    Raises:
        ClaraError: the lists differ in length, are empty, or a value is to be replaced twice.
    """

    fidelity = assumed("not documented: values are replaced simultaneously, values not in input_labels are kept")
    becomes = "monai.transforms.MapLabelValued"

    def __init__(self, fields: str | list[str], input_labels: list[float], output_labels: list[float]) -> None:
        MultiFieldTransformer.__init__(self, fields)
        if len(input_labels) != len(output_labels) or not input_labels:
            raise ClaraError(
                f"input_labels has {len(input_labels)} values and output_labels {len(output_labels)}, expected two "
                "lists of the same length with at least one value"
            )
        if twice := sorted({label for label in input_labels if list(input_labels).count(label) > 1}):
            raise ClaraError(f"argument 'input_labels' has the value {twice[0]} more than once")
        self.input_labels = list(input_labels)
        self.output_labels = list(output_labels)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the mapping; without a data type of its own it keeps the label's."""
        return Entry(
            "MapLabelValued",
            keys=self.fields,
            orig_labels=self.input_labels,
            target_labels=self.output_labels,
            dtype=None,
        )
