"""The tensors of a step as a user's numpy code sees them."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch.utils.weak import WeakTensorKeyDictionary

from clara_compat.common.data_format import DataFormat
from clara_compat.common.data_prop import DataProperty
from clara_compat.engine.tensors import plain

__all__ = ["laid_out", "on_host"]


class _Fetched(NamedTuple):
    array: np.ndarray[Any, Any]
    version: int


_FETCHED = WeakTensorKeyDictionary()
"""Arrays by the tensors they were fetched from, as long as these live."""


def on_host(value: torch.Tensor) -> np.ndarray[Any, Any]:
    """Return a tensor as an array; it is fetched from the device once, however many components of the user ask.

    The array is theirs together, on the CPU it is the tensor's memory, and so it cannot be written to: Clara's tensors
    could not either.

    Args:
        value: of any device and type; bfloat16, which numpy does not have, becomes float32.
    """
    found = _FETCHED.get(value)
    if found is None or found.version != value._version:  # noqa: SLF001 - as autograd does
        tensor = plain(value).detach()
        array = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).cpu().numpy()
        array.setflags(write=False)
        found = _FETCHED[value] = _Fetched(array, value._version)  # noqa: SLF001
    return cast("np.ndarray[Any, Any]", found.array)


def laid_out(value: Any, data_property: DataProperty | None) -> Any:
    """Return a view of a batch (N, C, spatial...), a tensor or an array, in the layout that the pipeline declares.

    Args:
        value: the batch.
        data_property: what the pipeline says of the data; None leaves the layout.
    """
    last = getattr(data_property, "data_format", None) == DataFormat.CHANNELS_LAST
    if not last or value.ndim <= 2:
        return value
    return value.movedim(1, -1) if isinstance(value, torch.Tensor) else np.moveaxis(value, 1, -1)
