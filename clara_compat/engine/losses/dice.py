"""Clara's Dice loss."""

from __future__ import annotations

import torch
from torch import nn

from clara_compat.engine.losses.targets import checked, labels_and_classes
from clara_compat.engine.slabs import pieces

__all__ = ["ClaraDiceLoss"]


class ClaraDiceLoss(nn.Module):
    """One minus the mean Dice over samples and channels, with the maths of Clara's published loss.

    Per sample and channel, over the voxels: with I the sum of p*t and D the sum of t plus the sum of p,
    ``f = (2 I + top_smooth) / (D + smooth)``; the loss is one minus the mean of f.

    It differs from ``monai.losses.DiceLoss`` (Clara 3.1 page "Bring your own components", ``dice_loss``;
    clara-3.1 engine facts, section 2.2):

    - the inputs are probabilities: Clara's networks end in their own activation;
    - a class that is absent from target and prediction has f = 0 and adds a loss of 1 unless ``top_smooth`` is set;
    - ``jaccard`` takes I off the denominator and leaves the 2 in the numerator, so a perfect match gives f = 2 and the
      loss -1;
    - ``squared_pred`` squares both p and t in the denominator, and only there;
    - a label without a channel belongs to no class, as in TensorFlow's ``one_hot``.

    Args:
        skip_background: leave channel 0 out.
        squared_pred: use the squares of predictions and targets in the denominator.
        jaccard: take the intersection off the denominator.
        smooth: added to the denominator.
        top_smooth: added to the numerator.
        is_onehot_targets: targets have one channel per class; otherwise one channel of class indices. With a single
            prediction channel the indices are taken as a foreground mask.

    Example::

        loss = ClaraDiceLoss(skip_background=True)
        loss(torch.softmax(logits, dim=1), label)  # logits (N, C, D, H, W), label (N, 1, D, H, W)
    """

    def __init__(
        self,
        skip_background: bool = False,
        squared_pred: bool = False,
        jaccard: bool = False,
        smooth: float = 1e-5,
        top_smooth: float = 0.0,
        is_onehot_targets: bool = False,
    ) -> None:
        super().__init__()
        self.skip_background = skip_background
        self.squared_pred = squared_pred
        self.jaccard = jaccard
        self.smooth = smooth
        self.top_smooth = top_smooth
        self.is_onehot_targets = is_onehot_targets

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar.

        Args:
            predictions: probabilities (N, C, spatial...), or (N, C) of a classification.
            targets: (N, 1, spatial...) class indices, or (N, C, spatial...) when ``is_onehot_targets``.

        Raises:
            ValueError: when the two do not fit each other or the options.
        """
        predictions, targets = checked(predictions, targets, self.skip_background, self.is_onehot_targets)
        sums = [torch.stack(self._sums(*piece)) for piece in pieces(predictions, targets)]
        intersection, denominator = torch.stack(sums).sum(dim=0)
        if self.jaccard:
            denominator = denominator - intersection
        return 1.0 - torch.mean((2.0 * intersection + self.top_smooth) / (denominator + self.smooth))

    def _sums(self, predictions: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return, per sample and channel, the intersection and the sum of the sizes of prediction and target."""
        if self.is_onehot_targets:
            onehot = targets.to(predictions.dtype)
        else:  # not as booleans, which would be converted on the way through each product and sum
            labels, classes = labels_and_classes(targets, predictions.shape[1])
            onehot = (labels == classes.view(1, -1, *[1] * (labels.ndim - 2))).to(predictions.dtype)
        if self.skip_background:
            predictions, onehot = predictions[:, 1:], onehot[:, 1:]

        intersection = _sum(predictions * onehot)
        if self.squared_pred:
            predictions = predictions.square()
            onehot = onehot.square() if self.is_onehot_targets else onehot
        return intersection, _sum(onehot) + _sum(predictions)


def _sum(values: torch.Tensor) -> torch.Tensor:
    """Return the sum over the voxels, if there are axes of them: torch sums over all axes when it is given none."""
    return values.sum(dim=list(range(2, values.ndim))) if values.ndim > 2 else values
