"""What the entries of a config say of its images, its labels and its network's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clara_compat.translate.native.native_config import entries_of, target_of

__all__ = ["CLASSES", "Facts", "facts_of"]

CLASSES = "clara_compat.engine.losses.classification.ClaraClassificationLoss"

_DIMS = ("spatial_dims", "num_data_dims")
_BATCH = "clara_compat.engine.transforms.batch_fields.BatchFields"


@dataclass(frozen=True)
class Facts:
    """What the entries of a config depend on beside their own arguments.

    Args:
        classifies: the label is a vector of numbers; otherwise an image.
        label_format: classes per label of a classification (1: binary), or None.
        activation: ``softmax``, ``sigmoid`` or ``linear``: what must follow the native network to give what the exact
            one gave.
        channels: of the network's output; None when the config does not tell.
        in_channels: of the image, or None.
        spatial_dims: 2 or 3.
        size: of a training's image in voxels; empty when the config does not tell.
        indices: the label of a classification is one class index, as ``torch.nn.CrossEntropyLoss`` takes it.
    """

    classifies: bool = False
    label_format: tuple[int, ...] | None = None
    activation: str = "linear"
    channels: int | None = None
    in_channels: int | None = None
    spatial_dims: int = 3
    size: tuple[int, ...] = ()
    indices: bool = False

    @property
    def activating(self) -> dict[str, bool]:
        """The argument of a loss, or of ``Activationsd``, that applies the activation; none for logits."""
        return {} if self.activation == "linear" else {self.activation: True}

    @property
    def classes(self) -> int:
        """Channels of the output; 2 where they are not known."""
        if self.channels is None and self.label_format is not None:
            return sum(self.label_format)
        return self.channels or 2


def facts_of(config: Mapping[str, Any]) -> Facts:
    """Read the facts that do not depend on the network's native form."""
    formats = [one["classes_per_label"] for one in entries_of(config) if isinstance(one.get("classes_per_label"), list)]
    ends = [one for one in entries_of(config) if target_of(one) == _BATCH]
    numbers = next((tuple(one) for one in formats), None)
    return Facts(
        classifies=any("labels" in one for one in ends) or (numbers is not None and not ends),
        label_format=numbers,
        in_channels=next((one.get("image_channels") for one in ends), None),
        spatial_dims=next((one[name] for one in entries_of(config) for name in _DIMS if type(one.get(name)) is int), 3),
        size=tuple(config.get("network_input", {}).get("size", ())),
        indices=target_of(config.get("loss")) == CLASSES and numbers is not None and len(numbers) == 1 != numbers[0],
    )
