"""Clara's cross entropy of class labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional as F

from clara_compat.common.label_format import LabelFormat
from clara_compat.engine.networks.activation import FINAL_ACTIVATIONS, log_complements, log_probabilities, widened
from clara_compat.engine.tensors import plain

__all__ = ["ClaraClassificationLoss"]


class ClaraClassificationLoss(nn.Module):
    """Mean over the labels of an item of their cross entropies, each a mean over the items.

    An item has a vector of labels. A binary label has one network output, p its probability; an m-class label has m,
    whose probabilities are renormalised among each other (which changes nothing where the network's softmax runs over
    the outputs of that one label). A class index below 0 or beyond the last, and a binary label outside [0, 1], belong
    to no class: they add nothing but count as an item. Weights enter as in TensorFlow's
    ``losses.sparse_softmax_cross_entropy``: the weighted terms are added and divided by the number of items whose
    weight is not 0.

    NVIDIA documented that these losses are cross entropies of each label of the label format, the weighted one a sparse
    softmax cross entropy (clara-3.1 engine facts, section 2.2); the rest is assumed.

    Args:
        classes_per_label: 1 for a binary label, otherwise the number of classes.
        class_weights: one per class of every label in turn, a binary label having two; by default all alike.
        activation: what the network ends in: ``softmax``, ``sigmoid`` or, when its outputs are logits, ``linear``.

    Raises:
        ValueError: when the arguments are not as described.
        TypeError: when ``classes_per_label`` holds other things than whole numbers.

    Example::

        loss = ClaraClassificationLoss([1, 3])
        loss(logits, torch.tensor([[1.0, 2.0], [0.0, 0.0]]))  # logits (2, 4)
    """

    def __init__(
        self,
        classes_per_label: Sequence[int],
        class_weights: Sequence[float] | None = None,
        activation: str = "linear",
    ) -> None:
        super().__init__()
        self.classes_per_label = list(LabelFormat(classes_per_label).classes_per_label)
        if activation not in FINAL_ACTIVATIONS:
            raise ValueError(f"activation is '{activation}' but must be one of {', '.join(FINAL_ACTIVATIONS)}")
        self.activation = activation
        counts = [max(classes, 2) for classes in self.classes_per_label]
        weights = [1.0] * sum(counts) if class_weights is None else list(class_weights)
        if len(weights) != sum(counts) or min(weights) < 0:
            raise ValueError(
                f"class_weights is {weights}, expected {sum(counts)} numbers that are not negative: one per class of "
                "every label, a binary label having two"
            )
        self._class_weights, self._counts = [float(weight) for weight in weights], counts
        self._weights: torch.Tensor | None = None
        self._groups = [
            [label for label, classes in enumerate(self.classes_per_label) if classes == size]
            for size in dict.fromkeys(self.classes_per_label)
        ]

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar.

        Args:
            predictions: (N, outputs), the outputs of the labels one after the other.
            targets: (N, labels).

        Raises:
            ValueError: when the two do not fit the label format or each other.
        """
        outputs, count = sum(self.classes_per_label), len(self.classes_per_label)
        if predictions.shape[1:] != (outputs,) or targets.shape[1:] != (count,) or len(predictions) != len(targets):
            raise ValueError(
                f"the label format {self.classes_per_label} takes predictions (batch, {outputs}) and labels (batch, "
                f"{count}), but they are {tuple(predictions.shape)} and {tuple(targets.shape)}"
            )
        predictions, targets = widened(plain(predictions)), plain(targets)
        weights, losses = self._weights_like(predictions), []
        for labels, logs in zip(self._groups, self._logs(predictions), strict=True):
            shares = _shares(
                _of(targets, [1] * len(self._counts), labels), logs, self.classes_per_label[labels[0]] == 1
            )
            weighted = shares * _of(weights, self._counts, labels)
            # an item without a class counts, one whose class has the weight 0 does not
            counted = (weighted.sum(dim=2) != 0) | (shares.sum(dim=2) == 0)
            losses.append(-(weighted * logs).sum(dim=(0, 2)) / counted.sum(dim=0).clamp(min=1))
        return torch.cat(losses).mean()

    def _logs(self, predictions: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield the log-probabilities of each group, (N, labels of the group, classes).

        Those of a binary label are [log(1 - p), log(p)].
        """
        linear = self.activation == "linear"
        scores = predictions if linear else log_probabilities(predictions)
        rest = -predictions if linear else log_complements(predictions) if 1 in self.classes_per_label else scores
        for labels in self._groups:
            logs = _of(scores, self.classes_per_label, labels)
            if self.classes_per_label[labels[0]] > 1:  # a constant per label makes no difference
                yield F.log_softmax(logs, dim=2)
            else:
                both = torch.cat([_of(rest, self.classes_per_label, labels), logs], dim=2)
                yield F.logsigmoid(both) if linear else both

    def _weights_like(self, predictions: torch.Tensor) -> torch.Tensor:
        """Return the weights of all classes, which are sent to the device once."""
        found = self._weights
        if found is None or (found.device, found.dtype) != (predictions.device, predictions.dtype):
            found = self._weights = predictions.new_tensor(self._class_weights)
        return found


def _of(values: torch.Tensor, sizes: list[int], labels: list[int]) -> torch.Tensor:
    """Return what belongs to labels of one size, (..., labels, size), of the values of all, (..., sum of sizes).

    By views: an index would be sent to the device in every step.
    """
    if len(labels) == len(sizes):
        return values.unflatten(-1, (len(sizes), sizes[0]))
    parts = values.split(sizes, dim=-1)
    return torch.stack([parts[label] for label in labels], dim=-2)


def _shares(labels: torch.Tensor, logs: torch.Tensor, binary: bool) -> torch.Tensor:
    """Return what of each class the labels (N, L, 1) are, (N, L, classes): one-hot, binary ones also in between."""
    labels = labels.to(logs.dtype)
    if binary:
        return torch.where((labels >= 0) & (labels <= 1), torch.cat([1.0 - labels, labels], dim=2), 0.0)
    return (labels.trunc() == torch.arange(logs.shape[2], device=logs.device)).to(logs.dtype)
