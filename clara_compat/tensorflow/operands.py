"""What rewritten user code calls: attributes and operators of tensors as TensorFlow 1 has them.

Everything that is no tensor is left to Python.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.dtypes import as_dtype
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.shapes import shape_of

__all__ = [
    "ATTRIBUTES",
    "as_operand",
    "attribute",
    "augment_attribute",
    "augment_item",
    "augmented",
    "binary",
    "item",
    "mixed",
    "not_fitting",
    "require_one_type",
    "tensor_name",
]

_Tensor = torch.Tensor
_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.iadd,
    "-": operator.isub,
    "*": operator.imul,
    "/": operator.itruediv,
    "//": operator.ifloordiv,
    "%": operator.imod,
    "**": operator.ipow,
    "@": operator.imatmul,
    "&": operator.iand,
    "|": operator.ior,
    "^": operator.ixor,
}


_NO_TENSORS = frozenset(
    {int, float, bool, str, type(None), np.ndarray, np.float64, np.float32, np.int64, np.int32, np.bool_}
)
"""Types that are told from tensors at a glance."""


def binary(sign: str, left: Any, right: Any) -> Any:
    """Return ``left sign right``; next to a tensor, arrays and lists become tensors of its type and device.

    Two tensors are equal when they are the same one, as in TensorFlow 1.
    """
    if type(left) in _NO_TENSORS and type(right) in _NO_TENSORS:
        return _FUNCTIONS[sign](left, right)
    of_left, of_right = isinstance(left, _Tensor), isinstance(right, _Tensor)
    if of_left or of_right:
        if sign in ("==", "!="):
            return (left is right) == (sign == "==")
        if not of_left:
            left = as_operand(left, right)
        elif not of_right:
            right = as_operand(right, left)
        require_one_type(left, right)
        try:
            return _FUNCTIONS[sign](left, right)
        except RuntimeError as error:
            raise not_fitting(left, right, error) from error
    return _FUNCTIONS[sign](left, right)


def require_one_type(left: Any, right: Any) -> None:
    """Refuse floating point beside whole numbers or truth values, as TensorFlow does; numbers of Python's adapt.

    Raises:
        ClaraError: the operands, of which one is a tensor, are such a pair.
    """
    of_left = left.is_floating_point() if isinstance(left, _Tensor) else isinstance(left, float)
    of_right = right.is_floating_point() if isinstance(right, _Tensor) else isinstance(right, float)
    if of_left == of_right:
        return
    if isinstance(left if of_right else right, _Tensor):  # a whole number of Python's becomes floating point
        raise refusal(
            f"an operation on {told(left)} and {told(right)}: TensorFlow takes values of one type, use tf.cast"
        )


def not_fitting(left: Any, right: Any, error: Exception) -> Exception:
    """Return the error that says of which operands an operation is not possible."""
    why = str(error).partition("\n")[0]
    why = "their shapes do not fit" if why.startswith("The size of tensor a") else why
    return refusal(f"an operation on {told(left)} and {told(right)} is not possible: {why}")


def told(value: Any) -> str:
    """Return the type and shape of a tensor, or a number."""
    return f"{as_dtype(value.dtype).name}{list(value.shape)}" if isinstance(value, _Tensor) else repr(value)


def mixed(sign: str, left: Any, right: Any) -> Any:
    """Return ``left sign right`` in a module with torch in it, where types may be mixed; see :func:`binary`."""
    if isinstance(left, _Tensor) and isinstance(right, _Tensor):
        return (left is right) == (sign == "==") if sign in ("==", "!=") else _FUNCTIONS[sign](left, right)
    return binary(sign, left, right)


def augmented(sign: str, left: Any, right: Any) -> Any:
    """Return what ``left sign= right`` gives: a new tensor, or Python's own for anything else."""
    plain = type(left) in _NO_TENSORS and type(right) in _NO_TENSORS
    if not plain and (isinstance(left, _Tensor) or isinstance(right, _Tensor)):
        return binary(sign, left, right)
    return _IN_PLACE[sign](left, right)


def augment_attribute(sign: str, owner: Any, name: str, right: Any) -> None:
    """Do ``owner.name sign= right``."""
    setattr(owner, name, augmented(sign, getattr(owner, name), right))


def augment_item(sign: str, owner: Any, key: Any, right: Any) -> None:
    """Do ``owner[key] sign= right``."""
    owner[key] = augmented(sign, owner[key], right)


def as_operand(value: Any, beside: torch.Tensor) -> Any:
    """Return an array, list or 16-bit scalar as a tensor that can stand beside another; anything else as it is.

    Floating point values take the other's type, as TensorFlow converts what is no tensor yet.
    """
    if not isinstance(value, np.ndarray | np.generic | list | tuple):
        return value
    tensor = torch.as_tensor(np.asarray(value))
    if beside.is_floating_point() or not tensor.is_floating_point():
        return tensor.to(beside.device, beside.dtype)
    raise refusal(
        f"an operation on a tensor of {as_dtype(beside.dtype).name} and a value of {as_dtype(tensor.dtype).name}"
    )


def item(value: Any, key: Any) -> Any:
    """Return ``value[key]``; of a tensor also with negative steps and with sizes that are tensors or arrays."""
    if type(value) in _NO_TENSORS or not isinstance(value, _Tensor):
        return value[key]
    keys = key if isinstance(key, tuple) else (key,)
    steps = [part for part in keys if isinstance(part, slice) and part.step is not None and int(part.step) < 0]
    if not steps:
        return value[tuple(_plain(part) for part in keys)]
    return _reversed(value, keys)


def _plain(part: Any) -> Any:
    if isinstance(part, slice):
        return slice(*(None if bound is None else int(bound) for bound in (part.start, part.stop, part.step)))
    if isinstance(part, np.generic):
        return part.item()
    return part


def _reversed(value: torch.Tensor, keys: tuple[Any, ...]) -> torch.Tensor:
    """Take items with negative steps: by their indices, axis by axis."""
    if Ellipsis in keys:
        at = keys.index(Ellipsis)
        taken = sum(key is not None for key in keys) - 1
        keys = (*keys[:at], *[slice(None)] * (value.ndim - taken), *keys[at + 1 :])
    axis = 0
    plain: list[Any] = []
    for key in keys:
        if key is None:
            plain.append(None)
            continue
        if isinstance(key, slice) and key.step is not None and int(key.step) < 0:
            indices = list(range(*_plain(key).indices(value.shape[axis])))
            value = value.index_select(axis, torch.tensor(indices, dtype=torch.int64, device=value.device))
            plain.append(slice(None))
        else:
            plain.append(_plain(key))
        axis += 1
    return value[tuple(plain)]


def attribute(value: Any, name: str) -> Any:
    """Return ``value.name``; of a tensor what TensorFlow's has under that name."""
    if type(value) in _NO_TENSORS or not isinstance(value, _Tensor):
        return value if name == "value" and isinstance(value, torch.SymInt) else getattr(value, name)
    return ATTRIBUTES[name](value)


def tensor_name(tensor: torch.Tensor) -> str:
    """Return the name of a variable or named operation with TensorFlow's ``:0``; other tensors are ``Tensor:0``."""
    graph = running()
    name = None if graph is None else graph.store.name_of(tensor) or graph.operation_of(tensor)
    return f"{name or 'Tensor'}:0"


class _Operation:
    """What made a tensor, as far as its name goes."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.name = tensor_name(tensor).removesuffix(":0")
        self.outputs = [tensor]


def _set_shape(tensor: torch.Tensor) -> Callable[[Any], None]:
    def set_shape(shape: Any) -> None:
        shape_of(tensor).merge_with(shape)

    return set_shape


def _numpy(tensor: torch.Tensor) -> Callable[[], Any]:
    def numpy() -> Any:
        found = tensor.detach()
        found = found.float() if found.dtype == torch.bfloat16 else found
        return found.cpu().numpy().copy() if found.ndim else found.cpu().numpy()[()]

    return numpy


def _eval(tensor: torch.Tensor) -> Callable[..., Any]:
    return lambda feed_dict=None, session=None: _numpy(tensor)()


def _assign(tensor: torch.Tensor, sign: int | None) -> Callable[..., torch.Tensor]:
    def assign(value: Any, use_locking: Any = None, name: Any = None, read_value: Any = True) -> torch.Tensor:
        given = torch.as_tensor(value, dtype=tensor.dtype, device=tensor.device).detach()

        @torch.no_grad()
        def change() -> None:
            tensor.copy_(given) if sign is None else tensor.add_(given, alpha=sign)

        graph = running()
        if graph is None or graph.in_python:
            change()
            return tensor
        return graph.assignments.add(given.clone() if sign is None else tensor.detach() + sign * given, change)

    return assign


ATTRIBUTES: dict[str, Callable[[Any], Any]] = {
    "shape": shape_of,
    "get_shape": lambda tensor: lambda: shape_of(tensor),
    "set_shape": _set_shape,
    "dtype": lambda tensor: as_dtype(tensor.dtype),
    "name": tensor_name,
    "op": _Operation,
    "numpy": _numpy,
    "eval": _eval,
    "value": lambda tensor: lambda: tensor,
    "read_value": lambda tensor: lambda: tensor,
    "initialized_value": lambda tensor: lambda: tensor,
    "assign": lambda tensor: _assign(tensor, None),
    "assign_add": lambda tensor: _assign(tensor, 1),
    "assign_sub": lambda tensor: _assign(tensor, -1),
}
"""Attributes of TensorFlow's tensors and variables that torch's lack or mean otherwise."""
