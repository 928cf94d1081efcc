"""Clara's cross entropy of class labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from monai.data import MetaTensor
from torch import nn
from torch.nn import functional as F

from clara_compat.common.label_format import LabelFormat
from clara_compat.engine.networks.activation import FINAL_ACTIVATIONS, log_complements, log_probabilities

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
        self._groups = list(_groups(self.classes_per_label, weights))

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar.

        Args:
            predictions: (N, outputs), the outputs of the labels one after the other.
            targets: (N, labels).

        Raises:
            ValueError: when the two do not fit the label format or each other.
        """
        outputs, labels = sum(self.classes_per_label), len(self.classes_per_label)
        if predictions.shape[1:] != (outputs,) or targets.shape[1:] != (labels,) or len(predictions) != len(targets):
            raise ValueError(
                f"the label format {self.classes_per_label} takes predictions (batch, {outputs}) and labels (batch, "
                f"{labels}), but they are {tuple(predictions.shape)} and {tuple(targets.shape)}"
            )
        predictions, targets = (x.as_tensor() if isinstance(x, MetaTensor) else x for x in (predictions, targets))
        if predictions.dtype in (torch.bfloat16, torch.float16):
            predictions = predictions.float()
        losses = []
        for group in self._groups:
            logs = self._logs(predictions, group)
            shares = _shares(targets[:, group.labels], logs, group.binary)
            weighted = shares * logs.new_tensor(group.weights)
            # an item without a class counts, one whose class has the weight 0 does not
            counted = (weighted.sum(dim=2) != 0) | (shares.sum(dim=2) == 0)
            losses.append(-(weighted * logs).sum(dim=(0, 2)) / counted.sum(dim=0).clamp(min=1))
        return torch.cat(losses).mean()

    def _logs(self, predictions: torch.Tensor, group: _Group) -> torch.Tensor:
        """Return the log-probabilities (N, labels of the group, classes); of a binary label [log(1 - p), log(p)]."""
        linear = self.activation == "linear"
        if not group.binary:  # a constant per label makes no difference
            scores = predictions if linear else log_probabilities(predictions)
            return F.log_softmax(scores[:, group.outputs], dim=2)
        if linear:
            logits = predictions[:, group.outputs]
            return F.logsigmoid(torch.cat([-logits, logits], dim=2))
        both = (log_complements(predictions), log_probabilities(predictions))
        return torch.cat([logs[:, group.outputs] for logs in both], dim=2)


class _Group(NamedTuple):
    """Labels with the same number of classes: their places among labels and outputs, the weights of their classes."""

    binary: bool
    labels: list[int]
    outputs: list[list[int]]
    weights: list[list[float]]


def _groups(classes_per_label: Sequence[int], weights: Sequence[float]) -> Iterator[_Group]:
    """Group the labels, so that a format of many takes few operations."""
    groups: dict[int, _Group] = {}
    output = weight = 0
    for label, classes in enumerate(classes_per_label):
        group = groups.setdefault(classes, _Group(classes == 1, [], [], []))
        count = max(classes, 2)
        group.labels.append(label)
        group.outputs.append(list(range(output, output + classes)))
        group.weights.append([float(one) for one in weights[weight : weight + count]])
        output, weight = output + classes, weight + count
    yield from groups.values()


def _shares(labels: torch.Tensor, logs: torch.Tensor, binary: bool) -> torch.Tensor:
    """Return what of each class the labels (N, L) are, (N, L, classes): one-hot, of a binary label also in between."""
    labels = labels.to(logs.dtype).unsqueeze(2)
    if binary:
        return torch.where((labels >= 0) & (labels <= 1), torch.cat([1.0 - labels, labels], dim=2), 0.0)
    return (labels.trunc() == torch.arange(logs.shape[2], device=logs.device)).to(logs.dtype)
