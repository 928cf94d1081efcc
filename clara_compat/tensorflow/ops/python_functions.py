"""Python inside a graph: ``tf.py_func``, ``tf.py_function``, own gradients, gradients themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.graph import entered, running
from clara_compat.tensorflow.ops.creating import device
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["custom_gradient", "gradients", "py_func", "py_function"]


def _array(value: Any) -> np.ndarray:
    tensor = as_tensor(value).detach()
    tensor = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    return np.asarray(tensor.cpu().numpy())


@symbol(
    "py_func",
    "numpy_function",
    note="Gradients stop there; a traced network holds the result as a constant, torch.export refuses it.",
)
def py_func(func: Callable[..., Any], inp: Any, Tout: Any, stateful: bool = True, name: str | None = None) -> Any:
    """Return what a function on numpy arrays gives, as tensors of the types in ``Tout``.

    Raises:
        ClaraError: the function does not return one array for each type.
    """
    with _in_python():
        found = func(*[_array(one) for one in inp])
    return _outputs(found, Tout, "tf.py_func")


@contextmanager
def _in_python() -> Iterator[None]:
    """Say that what runs now is run by TensorFlow in every step, too."""
    graph = running()
    if graph is None:
        yield
        return
    before, graph.in_python = graph.in_python, True
    try:
        yield
    finally:
        graph.in_python = before


class _EagerTensor(torch.Tensor):
    """A tensor that numpy and scipy take as an array, wherever it lies and whatever depends on it."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.asarray(_array(self.as_subclass(torch.Tensor)), dtype=dtype)


@symbol(
    "py_function",
    "contrib.eager.py_func",
    note="Gradients pass through TensorFlow's functions inside and stop at numpy; traced, the result is a constant.",
)
def py_function(func: Callable[..., Any], inp: Any, Tout: Any, name: str | None = None) -> Any:
    """Return what a function on tensors, whose ``.numpy()`` works, gives, as tensors of the types in ``Tout``.

    Raises:
        ClaraError: the function does not return one value for each type.
    """
    with _in_python():
        found = func(*[as_tensor(one).as_subclass(_EagerTensor) for one in inp])
    return _outputs(found, Tout, "tf.py_function")


def _outputs(found: Any, types: Any, what: str) -> Any:
    if not isinstance(types, list | tuple):
        return _output(found, types)
    if not types:
        return []
    values = list(found) if isinstance(found, list | tuple) else [found]
    if len(values) != len(types):
        raise refusal(f"{what}: the function returned {len(values)} values for {len(types)} types in Tout")
    return [_output(value, dtype) for value, dtype in zip(values, types, strict=True)]


def _output(value: Any, dtype: Any) -> torch.Tensor:
    wanted = torch_dtype(dtype)
    if isinstance(value, torch.Tensor):
        tensor = value.as_subclass(torch.Tensor)
    elif isinstance(value, list | tuple) and any(isinstance(one, torch.Tensor) for one in value):
        tensor = torch.stack([as_tensor(one).as_subclass(torch.Tensor) for one in value])
    else:
        tensor = torch.as_tensor(np.ascontiguousarray(value)).reshape(np.shape(value))
    return tensor.to(device() or tensor.device, wanted)


@symbol("custom_gradient")
def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that computes its gradient as the user says: ``f`` returns its result and a function."""

    def with_own_gradient(*args: Any, **kwargs: Any) -> Any:
        return _OwnGradient.apply(lambda *tensors: f(*tensors, **kwargs), *[as_tensor(one) for one in args])

    return with_own_gradient


class _OwnGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, function: Callable[..., Any], *tensors: torch.Tensor) -> Any:
        result, ctx.gradient = function(*tensors)
        ctx.graph, ctx.tensors = running(), len(tensors)
        if isinstance(result, list | tuple):
            return tuple(result)
        return result.view_as(result) if any(result is one for one in tensors) else result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        if ctx.graph is None:
            found = ctx.gradient(*gradients)
        else:
            with entered(ctx.graph):
                found = ctx.gradient(*gradients)
        listed = list(found) if isinstance(found, list | tuple) else [found]
        if len(listed) != ctx.tensors:
            raise refusal(f"tf.custom_gradient: {len(listed)} gradients for {ctx.tensors} arguments")
        return None, *listed


@symbol(
    "gradients",
    "keras.backend.gradients",
    note="Only with respect to variables and what is computed from them; refused while gradients are off.",
)
def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str | None = None,
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = None,
) -> list[Any]:
    """Return the gradients of a sum of tensors with respect to each of others; None where they do not depend.

    Raises:
        ClaraError: there is nothing to differentiate by, or gradients are off (in validation).
    """
    results = list(ys) if isinstance(ys, list | tuple) else [ys]
    sources = list(xs) if isinstance(xs, list | tuple) else [xs]
    graph = running()
    if not torch.is_grad_enabled():
        if graph is not None and graph.building:  # the values of a building pass do not matter
            return [torch.zeros_like(source) for source in sources]
        raise refusal("tf.gradients cannot be computed in validation, where gradients are off")
    if not all(source.requires_grad for source in sources):
        raise refusal("tf.gradients works with respect to variables and what is computed from them, not to inputs")
    weights = grad_ys if isinstance(grad_ys, list | tuple) else [grad_ys] * len(results)
    pairs = [(result, weight) for result, weight in zip(results, weights, strict=True) if result.requires_grad]
    if not pairs:
        return [None] * len(sources)
    outputs = [torch.ones_like(result) if weight is None else weight for result, weight in pairs]
    return list(
        torch.autograd.grad([result for result, _ in pairs], sources, outputs, create_graph=True, allow_unused=True)
    )
