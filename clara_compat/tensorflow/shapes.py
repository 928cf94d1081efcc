"""TensorFlow's static shapes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

import torch

from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["Dimension", "TensorShape", "shape_of", "sizes"]


@symbol("Dimension")
class Dimension(int):
    """One size of a shape: an int that has a ``value``. Arithmetic with numbers gives a size again."""

    @property
    def value(self) -> int:
        """The size as a plain int."""
        return int(self)

    def __repr__(self) -> str:
        return f"Dimension({int(self)})"

    __str__ = int.__repr__


def _arithmetic(name: str, function: Callable[[Any, Any], Any]) -> None:
    def forward(self: Dimension, other: Any) -> Any:
        result = function(int(self), other)
        return Dimension(result) if type(result) is int else result

    def backward(self: Dimension, other: Any) -> Any:
        result = function(other, int(self))
        return Dimension(result) if type(result) is int else result

    setattr(Dimension, f"__{name}__", forward)
    setattr(Dimension, f"__r{name}__", backward)


for _name in ("add", "sub", "mul", "floordiv", "mod"):
    _arithmetic(_name, getattr(operator, _name))


def _plain(size: Any) -> Any:
    return size if isinstance(size, torch.SymInt) else int(size)


def _dimension(size: Any) -> Any:
    """Return a size; one that torch.export leaves free (the number of images) must not become a number."""
    return size if isinstance(size, torch.SymInt) else Dimension(int(size))


@symbol("TensorShape", note="The batch size is known, where TensorFlow's placeholders have None.")
class TensorShape(tuple[Dimension, ...]):
    """A shape whose sizes are all known: what runs has a shape.

    Args:
        dims: the sizes; None stands for no size at all in TensorFlow and is refused.
    """

    __slots__ = ()

    def __new__(cls, dims: Any) -> TensorShape:  # noqa: PYI034 -- Self needs Python 3.11
        """Take the sizes of a list, a tuple, another shape, or one number."""
        found = [dims] if isinstance(dims, int) else list(dims)
        if any(size is None for size in found):
            raise refusal(f"the shape {found} has an unknown size; tensors have known shapes here")
        return super().__new__(cls, (_dimension(size) for size in found))

    @property
    def ndims(self) -> int:
        """Number of axes."""
        return len(self)

    rank = ndims

    @property
    def dims(self) -> list[Dimension]:
        """The sizes."""
        return list(self)

    def as_list(self) -> list[Any]:
        """Return the sizes as plain ints; a size that torch.export leaves free stays free."""
        return [_plain(size) for size in self]

    def num_elements(self) -> int:
        """Return the product of the sizes."""
        return math.prod(self.as_list())

    def is_fully_defined(self) -> bool:
        """Return True: every size is known."""
        return True

    def concatenate(self, other: Any) -> TensorShape:
        """Return this shape with the sizes of another behind."""
        return TensorShape([*self, *TensorShape(other)])

    def merge_with(self, other: Any) -> TensorShape:
        """Return this shape.

        Raises:
            ClaraError: another shape contradicts it; its sizes of None agree with any.
        """
        if not self.is_compatible_with(other):
            raise refusal(f"the shapes {self} and {other} are not compatible")
        return self

    def with_rank(self, rank: int) -> TensorShape:
        """Return this shape.

        Raises:
            ClaraError: it has another number of axes.
        """
        if len(self) != rank:
            raise refusal(f"the shape {self} has {len(self)} axes, expected {rank}")
        return self

    def is_compatible_with(self, other: Any) -> bool:
        """Whether another shape, whose sizes may be None, can be the same."""
        if other is None:
            return True
        theirs = [None if size is None else int(size) for size in other]
        return len(theirs) == len(self) and all(b is None or a == b for a, b in zip(self, theirs, strict=True))

    def __getitem__(self, key: SupportsIndex | slice) -> Any:
        found = super().__getitem__(key)
        return TensorShape(found) if isinstance(key, slice) else found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Iterable) and tuple(self) == tuple(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return tuple.__hash__(self)

    def __repr__(self) -> str:
        return f"TensorShape([{', '.join(map(str, self))}])"

    def __str__(self) -> str:
        inside = ", ".join(map(str, self))
        return f"({inside},)" if len(self) == 1 else f"({inside})"


def shape_of(tensor: torch.Tensor) -> TensorShape:
    """Return the shape of a tensor; while a network is traced its sizes become constants."""
    return TensorShape(tensor.shape)


def sizes(value: Any) -> list[int]:
    """Return the ints of a shape or size, however it is given: a number, a list, a tensor, sizes that are tensors.

    A size that torch.export leaves free stays free.

    Raises:
        ClaraError: it is none, at the user's line.
    """
    if isinstance(value, torch.Tensor):
        value = value.tolist()
    try:
        if isinstance(value, Iterable):
            return [_plain(one) for one in value]
        return [_plain(value) if isinstance(value, torch.SymInt) else operator.index(value)]
    except (TypeError, ValueError) as error:
        raise refusal(f"{value!r} is no shape: {error}") from error
