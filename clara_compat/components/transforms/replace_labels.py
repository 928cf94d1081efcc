"""Clara's ``ReplaceLabels``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["ReplaceLabels"]

_NOT_EXACT = 2**53
"""From here on, float64 rounds whole numbers."""


class ReplaceLabels(NativeTransform, MultiFieldTransformer):
    """Replace label values by others, all at the same time: 1 -> 2 and 2 -> 1 swaps them.

    Source: clara-3.1-transforms facts, sections 4.9 and 10.

    Args:
        fields: fields that hold labels.
        input_labels: values to replace.
        output_labels: what each of them becomes.

    Raises:
        ClaraError: the lists differ in length, are empty, a value is to be replaced twice, or one cannot be told from
            its neighbours.
    """

    fidelity = assumed(
        "not documented: values are replaced simultaneously, values not in input_labels are kept, and so is the data "
        "type; a new value that it cannot hold is an error"
    )
    becomes = "clara_compat.engine.transforms.replace_labels.ReplaceLabelsd"

    def __init__(self, fields: str | list[str], input_labels: list[float], output_labels: list[float]) -> None:
        MultiFieldTransformer.__init__(self, fields)
        if len(input_labels) != len(output_labels) or not input_labels:
            raise ClaraError(
                f"input_labels has {len(input_labels)} values and output_labels {len(output_labels)}, expected two "
                "lists of the same length with at least one value"
            )
        if twice := sorted({label for label in input_labels if list(input_labels).count(label) > 1}):
            raise ClaraError(f"argument 'input_labels' has the value {twice[0]} more than once")
        _check_size(input_labels, "input_labels")
        _check_size(output_labels, "output_labels")
        self.input_labels = list(input_labels)
        self.output_labels = list(output_labels)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the mapping."""
        return Entry(self.becomes, keys=self.fields, orig_labels=self.input_labels, target_labels=self.output_labels)


def _check_size(labels: Sequence[float], argument: str) -> None:
    """Check that a config's numbers, which are read as float64, are the ones that were written.

    Raises:
        ClaraError: one may have been rounded.
    """
    for label in labels:
        if _NOT_EXACT <= abs(label) < math.inf:
            raise ClaraError(
                f"argument '{argument}' has {label}, expected labels between -2^53 and 2^53, which are exact numbers"
            )
