"""``tf.nn``'s activations, and dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.ops.arguments import axis_of, given
from clara_compat.tensorflow.ops.logits import remember
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["dropped", "leaky_relu", "log_softmax", "relu", "sigmoid", "softmax", "tanh"]


def sure(x: torch.Tensor) -> torch.Tensor:
    """Return logits in float32 under autocast: a probability of 16 bits is 1 too early for a loss."""
    if x.dtype in (torch.bfloat16, torch.float16) and torch.is_autocast_enabled(x.device.type):
        return x.float()
    return x


def _axis(x: torch.Tensor, axis: Any, what: str) -> int:
    if x.ndim == 0:
        raise refusal(f"{what} of a single number")
    return axis_of(given(axis, -1), x.ndim, what)


@symbol("nn.softmax", "math.softmax")
def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> torch.Tensor:
    """Return probabilities that add up to 1 along an axis, the last if none is given."""
    x = sure(as_tensor(logits))
    at = _axis(x, given(axis, dim), "tf.nn.softmax")
    result = torch.softmax(x, at)
    return remember("softmax", result, x) if at == x.ndim - 1 else result


@symbol("nn.log_softmax", "math.log_softmax")
def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> torch.Tensor:
    """Return the logarithms of :func:`softmax`."""
    x = sure(as_tensor(logits))
    return torch.log_softmax(x, _axis(x, given(axis, dim), "tf.nn.log_softmax"))


@symbol("sigmoid", "nn.sigmoid", "math.sigmoid")
def sigmoid(x: Any, name: str | None = None) -> torch.Tensor:
    """Return ``1 / (1 + exp(-x))``."""
    logits = sure(as_tensor(x))
    return remember("sigmoid", torch.sigmoid(logits), logits)


@symbol("tanh", "nn.tanh", "math.tanh", "keras.backend.tanh", "keras.activations.tanh")
def tanh(x: Any, name: str | None = None) -> torch.Tensor:
    """Return the hyperbolic tangent."""
    return torch.tanh(as_tensor(x))


@symbol("nn.leaky_relu")
def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> torch.Tensor:
    """Return positive values as they are, others times ``alpha``."""
    return F.leaky_relu(as_tensor(features), float(alpha))


def _crelu(features: Any, name: str | None = None, axis: Any = -1) -> torch.Tensor:
    x = as_tensor(features)
    return F.relu(torch.cat([x, -x], axis_of(axis, x.ndim, "tf.nn.crelu")))


def _activation(function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    def activation(features: Any, name: str | None = None) -> torch.Tensor:
        return function(as_tensor(features))

    return activation


relu = _activation(F.relu)
register(relu, "nn.relu")
register(_activation(F.relu6), "nn.relu6")
register(_activation(F.elu), "nn.elu")
register(
    _activation(F.selu),
    "nn.selu",
    note="The gradient at exactly 0 is that of the negative side, TensorFlow's of the other.",
)
softplus = _activation(F.softplus)
softsign = _activation(F.softsign)
register(softplus, "nn.softplus", "math.softplus")
register(softsign, "nn.softsign", "math.softsign")
register(_activation(F.silu), "nn.swish", "nn.silu")
register(_crelu, "nn.crelu")


@symbol("nn.dropout", note="Draws from torch's generator.")
def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: Any = None,
    name: str | None = None,
    rate: Any = None,
) -> torch.Tensor:
    """Return a tensor with values set to 0 at random and the others scaled up; it always does so.

    Raises:
        ClaraError: neither ``rate`` nor ``keep_prob`` is given, or it is no share.
    """
    if rate is None and keep_prob is None:
        raise refusal("tf.nn.dropout needs rate or keep_prob")
    share = float(1.0 - keep_prob if rate is None else rate)
    if not 0.0 <= share < 1.0:
        raise refusal(f"tf.nn.dropout: the share of values to drop is {share}, expected one from 0 up to, without, 1")
    return dropped(as_tensor(x), share, noise_shape)


def dropped(x: torch.Tensor, rate: float, noise_shape: Any = None) -> torch.Tensor:
    """Return a tensor with a share of its values set to 0 and the others scaled up.

    Args:
        x: any tensor.
        rate: the share.
        noise_shape: sizes of 1 where one draw decides for a whole axis; None in it stands for the tensor's size.
    """
    if rate == 0.0:
        return x
    if noise_shape is None:
        return F.dropout(x, rate)
    listed = list(noise_shape.tolist() if isinstance(noise_shape, torch.Tensor) else noise_shape)
    shape = [size if wanted is None else wanted for size, wanted in zip(x.shape, listed, strict=True)]
    kept = torch.rand(sizes(shape), device=x.device) >= rate
    return x * kept.to(x.dtype) / (1.0 - rate)
