"""``tf.TensorArray``."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import sizes

__all__: list[str] = []


@symbol("TensorArray")
class TensorArray:
    """A list of tensors; what changes it gives a new one, as in a loop of TensorFlow's.

    Args:
        dtype: of the tensors.
        size: how many there are; more can be written.
        dynamic_size: accepted, as the further arguments are.
    """

    def __init__(self, dtype: Any, size: Any = 0, dynamic_size: Any = None, *_: Any, **__: Any) -> None:
        self.dtype = torch_dtype(dtype)
        self._items: list[torch.Tensor | None] = [None] * sizes(size)[0]

    def _with(self, items: list[torch.Tensor | None]) -> TensorArray:
        other = TensorArray(self.dtype)
        other._items = items
        return other

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Return an array with a tensor at a place."""
        at = sizes(index)[0]
        items = self._items + [None] * (at + 1 - len(self._items))
        items[at] = as_tensor(value, self.dtype)
        return self._with(items)

    def read(self, index: Any, name: str | None = None) -> torch.Tensor:
        """Return the tensor at a place.

        Raises:
            ClaraError: nothing was written there.
        """
        at = sizes(index)[0]
        found = self._items[at] if 0 <= at < len(self._items) else None
        if found is None:
            raise refusal(f"tf.TensorArray: nothing was written at {at}")
        return found

    def size(self, name: str | None = None) -> int:
        """Return how many places there are."""
        return len(self._items)

    def stack(self, name: str | None = None) -> torch.Tensor:
        """Return all tensors with a new first axis; places that were not written hold zeros."""
        first = next((one for one in self._items if one is not None), None)
        if first is None:
            raise refusal("tf.TensorArray: nothing was written into it")
        return torch.stack([torch.zeros_like(first) if one is None else one for one in self._items])

    def gather(self, indices: Any, name: str | None = None) -> torch.Tensor:
        """Return the tensors at places with a new first axis."""
        return torch.stack([self.read(index) for index in sizes(indices)])

    def concat(self, name: str | None = None) -> torch.Tensor:
        """Return all tensors behind each other along their first axis."""
        return torch.cat([self.read(index) for index in range(len(self._items))])

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Return an array of the parts of a tensor along its first axis."""
        return self._with(list(as_tensor(value, self.dtype).unbind(0)))

    def identity(self) -> TensorArray:
        """Return the array."""
        return self

    def close(self, name: str | None = None) -> None:
        """Do nothing."""
