"""TensorFlow's data types on torch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from clara_compat.errors import suggestion
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["DTYPES", "DType", "as_dtype", "torch_dtype"]


@symbol("DType", "dtypes.DType")
class DType:
    """A TensorFlow data type; equal to torch's, numpy's and the name of the same type.

    Args:
        name: TensorFlow's: ``float32``.
        torch_type: torch's.
        numpy_type: numpy's; None for bfloat16, which numpy does not have.
    """

    def __init__(self, name: str, torch_type: torch.dtype, numpy_type: type[np.generic] | None) -> None:
        self.name = name
        self.torch = torch_type
        self._numpy = numpy_type

    @property
    def as_numpy_dtype(self) -> type[np.generic]:
        """Numpy's type; of bfloat16 that of the next wider one, float32."""
        return self._numpy or np.float32

    @property
    def base_dtype(self) -> DType:
        """The type itself: there are no reference types here."""
        return self

    @property
    def real_dtype(self) -> DType:
        """The type itself: complex numbers are not provided."""
        return self

    @property
    def is_floating(self) -> bool:
        """Whether it is one of the floating point types."""
        return self.torch.is_floating_point

    @property
    def is_integer(self) -> bool:
        """Whether it is one of the integer types."""
        return not self.torch.is_floating_point and self.torch != torch.bool

    @property
    def is_bool(self) -> bool:
        """Whether it is the type of booleans."""
        return self.torch == torch.bool

    @property
    def size(self) -> int:
        """Bytes of one value."""
        return self.torch.itemsize

    @property
    def max(self) -> Any:
        """The largest value."""
        return True if self.is_bool else (torch.finfo if self.is_floating else torch.iinfo)(self.torch).max

    @property
    def min(self) -> Any:
        """The smallest value."""
        return False if self.is_bool else (torch.finfo if self.is_floating else torch.iinfo)(self.torch).min

    def is_compatible_with(self, other: Any) -> bool:
        """Whether another type is the same."""
        return self == as_dtype(other)

    def __eq__(self, other: object) -> bool:
        if other is None:
            return False
        if isinstance(other, torch.dtype):
            return self.torch == other
        if isinstance(other, DType):
            return self.torch == other.torch
        try:
            return self.torch == _FOUND.get(_key(other))
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.torch)

    def __repr__(self) -> str:
        return f"tf.{self.name}"


DTYPES = {
    name: DType(name, getattr(torch, name), None if name == "bfloat16" else np.dtype(name).type)
    for name in (
        *("float16", "float32", "float64", "bfloat16", "bool"),
        *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    )
}
"""The types by TensorFlow's names."""
for _name, _dtype in DTYPES.items():
    register(_dtype, _name, f"dtypes.{_name}")
register(DTYPES["float16"], "half")
register(DTYPES["float64"], "double")

_FOUND = {dtype.name: dtype.torch for dtype in DTYPES.values()} | {"float": torch.float32, "int": torch.int32}
_BY_TORCH = {dtype.torch: dtype for dtype in DTYPES.values()}


@symbol("as_dtype", "dtypes.as_dtype")
def as_dtype(type_value: Any) -> DType:
    """Return the data type that a type of torch's, numpy's or Python's, or a name, means.

    Raises:
        ClaraError: there is no such type.
    """
    return _BY_TORCH[torch_dtype(type_value)]


def torch_dtype(value: Any) -> torch.dtype:
    """Return torch's type for one of TensorFlow's, torch's, numpy's or Python's, or a name.

    As in TensorFlow, Python's ``float`` and ``int`` are float32 and int32.

    Raises:
        ClaraError: there is no such type, at the user's line.
    """
    if isinstance(value, DType):
        return value.torch
    if isinstance(value, torch.dtype) and value in _BY_TORCH:
        return value
    if value is float:
        return torch.float32
    if value is int:
        return torch.int32
    try:
        found = _FOUND.get(_key(value))
    except TypeError:
        found = None
    if found is None:
        raise refusal(f"{value!r} is no data type{suggestion(str(value), _FOUND)}")
    return found


def _key(value: Any) -> str:
    return value if isinstance(value, str) else np.dtype(value).name
