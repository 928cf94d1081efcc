"""What transforms ask of the tensors in a field."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import torch
from monai.data import MetaTensor

from clara_compat.common.constants import ImageProperty
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["channelled", "file_of", "foreground", "is_one_hot", "one_channel"]

_SUMS_TO_ONE = 1e-4
"""How far from 1 the sum may be: interpolation of a one-hot label rounds."""


def file_of(tensor: torch.Tensor) -> str:
    """Return the file a tensor came from, for messages."""
    return str(tensor.meta.get("filename_or_obj", "no file")) if isinstance(tensor, MetaTensor) else "no file"


def one_channel(tensor: torch.Tensor, key: Hashable) -> torch.Tensor:
    """Return the plain tensor (1, spatial...) of a map of labels.

    Raises:
        ClaraError: there is not one channel.
    """
    if len(tensor) != 1:
        raise ClaraError(
            f"field '{key}' has {len(tensor)} channels, expected one channel that holds labels ({file_of(tensor)})"
        )
    return plain(tensor)


def is_one_hot(values: Any) -> bool:
    """Whether the channels of a label sum to 1 at each of these voxels, so that the first of them is background.

    Channels that overlap or leave voxels out, such as the regions of BraTS, do not.

    Args:
        values: array or tensor (C, ...): the whole label, or some voxels of it.
    """
    return len(values) > 1 and bool((abs(values.sum(0) - 1) <= _SUMS_TO_ONE).all())


def foreground(values: Any, one_hot: bool | None = None) -> Any:
    """Return which voxels of a label are foreground: (C, ...) to (...), bool.

    Foreground is where any channel is above 0; of a one-hot label, any channel but the first.

    Args:
        values: array or tensor (C, ...).
        one_hot: whether the label is one-hot; None to judge by these values.
    """
    channels = values[1:] if (is_one_hot(values) if one_hot is None else one_hot) else values
    return channels[0] > 0 if len(channels) == 1 else (channels > 0).any(0)


def channelled(source: torch.Tensor) -> dict[str, Any]:
    """Return the layout label of what is made with a channel axis out of ``source``, as properties to change.

    An image that legacy code sees without a channel axis gets one in front; nothing changes for others.
    """
    known = properties.read(source).get(ImageProperty.SHAPE_FORMAT)
    if known is None or ShapeFormat(known).is_channeled():
        return {}
    return {ImageProperty.SHAPE_FORMAT: str(ShapeFormat(known).with_channels_first())}
