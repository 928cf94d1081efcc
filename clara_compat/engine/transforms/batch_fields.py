"""The end of every chain: the fields a batch is made of, in the form a network takes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.transforms import Transform
from monai.utils import CommonKeys, get_equivalent_dtype

from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["BatchFields"]

_IMAGE, _LABEL = CommonKeys.IMAGE.value, CommonKeys.LABEL.value


class BatchFields(Transform):
    """Keeps what a network is fed with and leaves everything else out, which would not always collate.

    The image becomes float32 (Clara's ``output_image_dtype``), whatever a user's transform made of it. The label is an
    image (C, spatial...), or for classification the vector of its numbers (L,), float32.

    Args:
        track_meta: keep ``MetaTensor`` (affine, file name); plain tensors collate and train faster.
        image_channels: channels the image must have; None for any.
        label_channels: channels the label must have; None for any.
        labels: for classification the length of the label vector, or 0 for any; None when the label is an image.
        extra_inputs: further inputs: mappings with ``name``, ``data_key`` (the field they come from), ``dtype`` and
            ``shape`` (without the batch axis; None or a negative number for any).
        carried: fields that metrics read: kept, as float32, where an item has them.

    Raises:
        ClaraError: a field is missing, is still a path, or has another shape than was declared.
    """

    def __init__(
        self,
        *,
        track_meta: bool,
        image_channels: int | None = None,
        label_channels: int | None = None,
        labels: int | None = None,
        extra_inputs: Sequence[Mapping[str, Any]] = (),
        carried: Sequence[str] = (),
    ) -> None:
        self.track_meta = track_meta
        self.image_channels = image_channels
        self.label_channels = label_channels
        self.labels = labels
        self.extra_inputs = [dict(one) for one in extra_inputs]
        self.carried = list(carried)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[str, torch.Tensor]:
        """Return the item with image, label and further inputs."""
        image = self._image(data, _IMAGE, self.image_channels, "output_image_channels").to(torch.float32)
        if self.labels is None:
            label = self._image(data, _LABEL, self.label_channels, "output_label_channels")
        else:
            label = _vector(data, self.labels)
        carried = [{"name": name, "data_key": name, "dtype": "float32"} for name in self.carried if name in data]
        further = {str(one["name"]): _extra(data, one) for one in (*carried, *self.extra_inputs)}
        return {_IMAGE: image, _LABEL: label, **further}

    def _image(self, data: Mapping[Hashable, Any], field: str, channels: int | None, argument: str) -> torch.Tensor:
        value = data.get(field)
        if not isinstance(value, torch.Tensor):
            found = "is missing" if field not in data else f"is a {type(value).__name__}, not an image"
            raise ClaraError(f"at the end of the transforms the field '{field}' {found}: load it, and keep it")
        if channels is not None and len(value) != channels:
            raise ClaraError(
                f"at the end of the transforms '{field}' has {len(value)} channels, but {argument} of the image "
                f"pipeline is {channels}: mend one of them"
            )
        return value if self.track_meta else plain(value)


def _vector(data: Mapping[Hashable, Any], length: int) -> torch.Tensor:
    value = data.get(_LABEL)
    try:
        value = value.cpu() if isinstance(value, torch.Tensor) else value
        vector = torch.as_tensor(np.asarray(value, dtype=np.float32)).reshape(-1)
    except (TypeError, ValueError):
        raise ClaraError(
            f"the label of a classification item is {value!r:.80}, expected a number or a list of numbers"
        ) from None
    if length and len(vector) != length:
        raise ClaraError(
            f"the label {value!r:.80} has {len(vector)} numbers, but output_label_format describes {length} labels"
        )
    return vector


def _extra(data: Mapping[Hashable, Any], declared: Mapping[str, Any]) -> torch.Tensor:
    name, field = declared["name"], declared["data_key"]
    if field not in data:
        known = ", ".join(map(str, data))
        raise ClaraError(f"the extra input '{name}' comes from the field '{field}', which is not there (has {known})")
    value = data[field]
    try:
        found = plain(value) if isinstance(value, torch.Tensor) else torch.as_tensor(np.asarray(value))
        tensor = found.to(get_equivalent_dtype(declared["dtype"], torch.Tensor))
    except (TypeError, ValueError):
        raise ClaraError(f"the field '{field}' of an item is {value!r:.80}, expected numbers") from None
    shape = declared.get("shape")
    wanted = None if shape is None else [None if n is None or n < 0 else int(n) for n in shape]
    if wanted is not None and (
        len(wanted) != tensor.ndim or any(n not in (None, m) for n, m in zip(wanted, tensor.shape, strict=True))
    ):
        raise ClaraError(f"the extra input '{name}' has the shape {tuple(tensor.shape)}, declared is {shape}")
    return tensor
