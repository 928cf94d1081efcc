"""The same values in another type, or as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import as_dtype, torch_dtype
from clara_compat.tensorflow.ops.arguments import is_static
from clara_compat.tensorflow.ops.creating import device
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["cast", "identity", "stop_gradient"]


@symbol("cast", "dtypes.cast", "keras.backend.cast")
def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """Return a value in another type; floating point becomes whole towards zero."""
    wanted = torch_dtype(dtype)
    if is_static(x) and as_dtype(wanted).is_integer:
        array = np.asarray(x)
        return x if array.dtype == object else array.astype(as_dtype(wanted).as_numpy_dtype)[()]
    if isinstance(x, torch.SymInt):
        number: Any = x
        return torch.full((), number, dtype=wanted, device=device())
    return as_tensor(x).to(wanted)


def _cast_to(dtype: str) -> Callable[..., Any]:
    def cast_to(x: Any, name: str | None = None) -> Any:
        return cast(x, dtype)

    return cast_to


for _alias, _type in {
    "to_float": "float32",
    "to_double": "float64",
    "to_int32": "int32",
    "to_int64": "int64",
    "to_bfloat16": "bfloat16",
}.items():
    register(_cast_to(_type), _alias)


@symbol("saturate_cast", "dtypes.saturate_cast")
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> torch.Tensor:
    """Return a value in another type, clipped to what that can hold."""
    wanted, tensor = as_dtype(dtype), as_tensor(value)
    return tensor.clamp(wanted.min, wanted.max).to(wanted.torch)


@symbol("identity")
def identity(input: Any, name: str | None = None) -> Any:
    """Return a value as it is."""
    return input if is_static(input) else as_tensor(input)


@symbol("identity_n")
def identity_n(input: Any, name: str | None = None) -> list[Any]:
    """Return values as they are."""
    return [identity(one) for one in input]


@symbol("stop_gradient", "keras.backend.stop_gradient")
def stop_gradient(input: Any, name: str | None = None) -> Any:
    """Return values that pass no gradient on."""
    if isinstance(input, list | tuple):
        return [stop_gradient(one) for one in input]
    return as_tensor(input).detach()
