"""``keras.activations``: those that ``keras.backend`` does not have, and activations by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.errors import suggestion
from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.ops.activations import softmax as of_tensorflow
from clara_compat.tensorflow.ops.arguments import axis_of
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import SYMBOLS, symbol

__all__ = ["get"]


@symbol("keras.activations.linear")
def linear(x: Any) -> Any:
    """Return values as they are."""
    return x


@symbol("keras.activations.exponential")
def exponential(x: Any) -> torch.Tensor:
    """Return the exponential of each value."""
    return torch.exp(as_tensor(x))


@symbol(
    "keras.activations.selu",
    note="The gradient at exactly 0 is that of the negative side, TensorFlow's of the other.",
)
def selu(x: Any) -> torch.Tensor:
    """Return scaled exponential linear units."""
    return F.selu(as_tensor(x))


@symbol("keras.activations.softmax")
def softmax(x: Any, axis: Any = -1) -> torch.Tensor:
    """Return probabilities that add up to 1 along an axis.

    Of two axes it is TensorFlow's own operation, whose logits a cross-entropy of Keras finds; of more it is computed
    from exponentials, as Keras of TensorFlow 1 does.

    Raises:
        ClaraError: there is only one axis.
    """
    found = as_tensor(x)
    if found.ndim < 2:
        raise refusal(f"a softmax of Keras takes two axes or more, not the shape {list(found.shape)}")
    if found.ndim == 2:
        return of_tensorflow(found)
    return torch.softmax(found, axis_of(axis, found.ndim, "a softmax"))


@symbol("keras.activations.get", "keras.activations.deserialize")
def get(identifier: Any) -> Callable[..., Any]:
    """Return the activation of a name, or a function as it is; None is the linear one.

    Raises:
        ClaraError: there is none of this name.
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier
    prefix = "tensorflow.keras.activations."
    found = SYMBOLS.get(f"{prefix}{identifier}")
    if found is None or identifier in ("get", "serialize", "deserialize"):
        names = [name.removeprefix(prefix) for name in SYMBOLS if name.startswith(prefix)]
        raise refusal(f"there is no activation '{identifier}'{suggestion(str(identifier), names)}")
    function: Callable[..., Any] = found.value
    return function


@symbol("keras.activations.serialize")
def serialize(activation: Any) -> Any:
    """Return the name of an activation."""
    return next(
        (one.name.rpartition(".")[2] for one in SYMBOLS.values() if one.value is activation), activation.__name__
    )
