"""How the label vector of a classification item is made up.

Clara requires a ``label_format`` for classification, but how it was encoded is not documented
(clara-3.1-engine facts, sections 1.9 and 7): everything here is assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clara_compat.errors import ClaraError

__all__ = ["LabelFormat", "label_sizes"]


class LabelFormat:
    """One number of classes per label of a classification item (assumed).

    Args:
        classes_per_label: for each entry of the label vector, 1 for a binary label (one network output) or the number
            of classes of a multi-class label (as many network outputs).

    Raises:
        TypeError: not a list of integers.
        ValueError: an empty list, or a number below 1.
    """

    def __init__(self, classes_per_label: Sequence[int]) -> None:
        numbers: list[Any] = list(classes_per_label) if isinstance(classes_per_label, (list, tuple)) else [None]
        if not all(type(number) is int for number in numbers):
            raise TypeError(f"a label format must be a list of integers, got {classes_per_label!r}")
        if not numbers or min(numbers) < 1:
            raise ValueError(
                f"a label format must hold at least one number and none below 1, got {classes_per_label!r}: "
                "write 1 for a binary label, the number of classes for any other"
            )
        self.classes_per_label = numbers

    def __repr__(self) -> str:
        return f"LabelFormat({self.classes_per_label})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LabelFormat) and self.classes_per_label == other.classes_per_label

    def __hash__(self) -> int:
        return hash(tuple(self.classes_per_label))

    def get_number_of_labels(self) -> int:
        """Return the length of an item's label vector."""
        return len(self.classes_per_label)

    def get_number_of_outputs(self) -> int:
        """Return the number of network outputs the labels need."""
        return sum(self.classes_per_label)

    def is_binary(self, index: int) -> bool:
        """Whether the label at ``index`` is binary."""
        return self.classes_per_label[index] == 1


def label_sizes(outputs: int, labels: int, declared: Sequence[int] | None = None) -> list[int]:
    """Return how a network's outputs belong to the labels: for every label its number of outputs.

    A declaration counts where it fits the numbers (it does not fit the binary outputs alone of a mixed format).
    Without one, as many outputs as labels are binary, and a single label has all outputs as its classes (assumed).

    Args:
        outputs: outputs (channels) of the prediction.
        labels: entries (channels) of the label.
        declared: the numbers of a label format.

    Raises:
        ClaraError: the two do not fit each other.
    """
    if declared is not None and (sum(declared), len(declared)) == (outputs, labels):
        return list(declared)
    if outputs == labels:
        return [1] * outputs
    if labels == 1:
        return [outputs]
    known = "" if declared is None else f" (output_label_format {list(declared)})"
    raise ClaraError(
        f"{outputs} outputs of the network do not fit {labels} labels{known}: expected one output for a binary label "
        "and as many as it has classes for any other; mend num_classes or the pipeline's output_label_format"
    )
