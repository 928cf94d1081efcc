"""The end of every chain: the fields a batch is made of, in the form a network takes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import Transform
from monai.utils import CommonKeys

from clara_compat.errors import ClaraError

__all__ = ["BatchFields"]


class BatchFields(Transform):
    """Keeps ``image`` and ``label`` of an item and leaves everything else out, which would not always collate.

    The image becomes float32 (Clara's ``output_image_dtype``), whatever a user's transform made of it.

    Args:
        track_meta: keep ``MetaTensor`` (affine, file name); plain tensors collate and train faster.

    Raises:
        ClaraError: a field is missing, or is still a path.
    """

    def __init__(self, *, track_meta: bool) -> None:
        self.track_meta = track_meta

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[str, torch.Tensor]:
        """Return the item with its two fields (C, spatial...)."""
        return {
            CommonKeys.IMAGE.value: self._tensor(data, CommonKeys.IMAGE.value).to(torch.float32),
            CommonKeys.LABEL.value: self._tensor(data, CommonKeys.LABEL.value),
        }

    def _tensor(self, data: Mapping[Hashable, Any], field: str) -> torch.Tensor:
        value = data.get(field)
        if not isinstance(value, torch.Tensor):
            found = "is missing" if field not in data else f"is a {type(value).__name__}, not an image"
            raise ClaraError(f"at the end of the transforms the field '{field}' {found}: load it, and keep it")
        return value if self.track_meta or not isinstance(value, MetaTensor) else value.as_tensor()
