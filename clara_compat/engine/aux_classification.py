"""Auxiliary operations of classification: accuracy, and probabilities for metrics over all cases."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import torch
from monai.utils import CommonKeys

from clara_compat.common.label_format import label_sizes
from clara_compat.engine.slabs import slabs
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["Accuracy", "ClassProbabilities"]


class Accuracy:
    """The fraction of labels that are predicted right (clara-3.1 engine facts, section 2.7; the rule is assumed).

    A binary label is predicted by its output reaching 0.5, any other by the greatest of its outputs. Predictions with
    spatial axes are judged voxel by voxel. A label that is no class (negative, too large, nan) is left out.

    Args:
        tags: one for all labels together, or further ones for each label.
        use_sigmoid: the outputs of binary labels are logits.
        classes_per_label: for every label its number of classes, 1 for a binary one; by default as
            :func:`~clara_compat.common.label_format.label_sizes` reads it from the shapes.
        do_summary: average over a training epoch for TensorBoard.
        do_print: the same for the console.
    """

    def __init__(
        self,
        tags: Sequence[str],
        use_sigmoid: bool = False,
        classes_per_label: Sequence[int] | None = None,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        self.tags = list(tags)
        self.threshold = 0.0 if use_sigmoid else 0.5  # the sigmoid of 0 is 0.5
        self.classes_per_label = classes_per_label
        self.do_summary = do_summary
        self.do_print = do_print

    def __call__(self, output: MutableMapping[str, Any]) -> dict[str, torch.Tensor]:
        """Return the accuracies of the batch; nan where no label is known."""
        predictions, labels, sizes = _grouped(output, self.classes_per_label, f"aux_ops '{self.tags[0]}'")
        if len(self.tags) not in (1, 1 + len(sizes)):
            raise ClaraError(
                f"aux_ops '{self.tags[0]}': {len(self.tags)} tags for {len(sizes)} labels, expected one tag for all "
                f"labels, or {1 + len(sizes)} for all and each"
            )
        total = torch.zeros((len(sizes), 2), dtype=torch.int64, device=predictions.device)
        for values, targets in slabs(predictions, labels):
            counts = [self._counts(*pair) for pair in _labels(values, targets, sizes)]
            total += torch.stack(counts)
        right, known = total.double().T
        found = [right.sum() / known.sum(), *(right / known)]
        return dict(zip(self.tags, found[: len(self.tags)], strict=True))

    def _counts(self, outputs: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Return how many labels are right and how many are known; outputs (N, classes, ...), label (N, ...)."""
        if outputs.shape[1] == 1:
            known = (label == 0) | (label == 1)
            right = (outputs[:, 0] >= self.threshold) == (label == 1)
        else:
            known = (label >= 0) & (label < outputs.shape[1]) & (label == label.round())
            right = outputs.argmax(dim=1) == label
        return torch.stack([(right & known).sum(), known.sum()])


class ClassProbabilities:
    """Probabilities of a classification under a tag, and the labels that belong to them under another.

    Metrics over all cases name the two as ``field`` and ``label_field`` (clara-3.1 engine facts, section 2.7; tags and
    contents are assumed).

    Args:
        predictions_tag: of the probabilities, (N, outputs).
        labels_tag: of the labels, (N, labels).
        binary_only: give the binary labels only.
        sigmoid: the outputs of binary labels are logits.
        softmax: the outputs of other labels are logits.
        classes_per_label: as in :class:`Accuracy`.
    """

    do_summary = False
    do_print = False

    def __init__(
        self,
        predictions_tag: str,
        labels_tag: str,
        binary_only: bool = False,
        sigmoid: bool = True,
        softmax: bool = True,
        classes_per_label: Sequence[int] | None = None,
    ) -> None:
        self.predictions_tag = predictions_tag
        self.labels_tag = labels_tag
        self.binary_only = binary_only
        self.sigmoid = sigmoid
        self.softmax = softmax
        self.classes_per_label = classes_per_label

    def __call__(self, output: MutableMapping[str, Any]) -> dict[str, torch.Tensor]:
        """Return the probabilities and the labels of the batch."""
        name = f"aux_ops '{self.predictions_tag}'"
        predictions, labels, sizes = _grouped(output, self.classes_per_label, name)
        pairs = list(_labels(predictions.detach(), labels, sizes))
        if self.binary_only:
            pairs = [(outputs, label) for outputs, label in pairs if outputs.shape[1] == 1]
        if not pairs:
            raise ClaraError(f"{name}: none of the labels is binary, they have {sizes} classes")
        probabilities = [self._activated(outputs) for outputs, _ in pairs]
        return {
            self.predictions_tag: torch.cat(probabilities, dim=1),
            self.labels_tag: torch.stack([label for _, label in pairs], dim=1),
        }

    def _activated(self, outputs: torch.Tensor) -> torch.Tensor:
        if outputs.shape[1] == 1:
            return outputs.sigmoid() if self.sigmoid else outputs
        return outputs.softmax(dim=1) if self.softmax else outputs


def _grouped(
    output: MutableMapping[str, Any], declared: Sequence[int] | None, name: str
) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    """Return predictions and labels on one device, and for every label its number of outputs."""
    predictions, labels = (plain(output[key]) for key in (CommonKeys.PRED, CommonKeys.LABEL))
    labels = labels[:, None] if labels.ndim == 1 else labels
    if predictions.shape[:1] + predictions.shape[2:] != labels.shape[:1] + labels.shape[2:]:
        raise ClaraError(f"{name}: prediction {list(predictions.shape)} and label {list(labels.shape)} differ in size")
    try:
        return predictions, labels.to(predictions.device), label_sizes(predictions.shape[1], labels.shape[1], declared)
    except ClaraError as error:
        raise ClaraError(f"{name}: {error.message}") from None


def _labels(
    predictions: torch.Tensor, labels: torch.Tensor, sizes: Sequence[int]
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield for every label its outputs (N, classes, ...) and its values (N, ...)."""
    yield from zip(predictions.split(list(sizes), dim=1), labels.unbind(dim=1), strict=True)
