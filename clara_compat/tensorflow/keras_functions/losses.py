"""``keras.losses``: functions of true and predicted values, reduced over the last axis; and their classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from clara_compat.errors import suggestion
from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.keras_backend import entropies
from clara_compat.tensorflow.keras_settings import keras_settings
from clara_compat.tensorflow.ops.arguments import wide
from clara_compat.tensorflow.ops.elementwise import maximum
from clara_compat.tensorflow.ops.matrices import l2_normalize
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import SYMBOLS, register, symbol

__all__: list[str] = []


def _pair(y_true: Any, y_pred: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both as tensors of the predictions' type; 16-bit ones as float32."""
    true, predicted = tensors(y_true, y_pred)
    predicted = wide(predicted)
    return true.to(predicted.dtype), predicted


def _squares(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return torch.square(x - y).mean(-1)


def _absolutes(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return (x - y).abs().mean(-1)


def _percentages(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return 100.0 * ((y - x) / y.abs().clamp(min=keras_settings().epsilon)).abs().mean(-1)


def _squares_of_logarithms(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    small = keras_settings().epsilon
    return torch.square(torch.log1p(x.clamp(min=small)) - torch.log1p(y.clamp(min=small))).mean(-1)


def _signs(y: torch.Tensor) -> torch.Tensor:
    """Return binary labels as -1 and 1; others as they are."""
    binary = ((y == 0) | (y == 1)).all()
    return torch.where(binary, 2.0 * y - 1.0, y)


def _hinge(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return maximum(1.0 - _signs(y) * x, 0.0).mean(-1)


def _squared_hinge(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return torch.square(F.relu(1.0 - _signs(y) * x)).mean(-1)


def _categorical_hinge(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return maximum((x * (1.0 - y)).amax(-1) - (x * y).sum(-1) + 1.0, 0.0)


def _logcosh(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    error = x - y
    return (error + F.softplus(-2.0 * error) - math.log(2.0)).mean(-1)


def _poisson(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return (x - y * torch.log(x + keras_settings().epsilon)).mean(-1)


def _divergence(y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    small = keras_settings().epsilon
    y, x = y.clamp(small, 1), x.clamp(small, 1)
    return (y * torch.log(y / x)).sum(-1)


_FUNCTIONS: dict[tuple[str, ...], Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    ("mean_squared_error", "mse", "MSE"): _squares,
    ("mean_absolute_error", "mae", "MAE"): _absolutes,
    ("mean_absolute_percentage_error", "mape", "MAPE"): _percentages,
    ("mean_squared_logarithmic_error", "msle", "MSLE"): _squares_of_logarithms,
    ("hinge",): _hinge,
    ("squared_hinge",): _squared_hinge,
    ("categorical_hinge",): _categorical_hinge,
    ("logcosh",): _logcosh,
    ("poisson",): _poisson,
    ("kullback_leibler_divergence", "kld", "KLD"): _divergence,
}


def _function(of_pair: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Callable[..., torch.Tensor]:
    def loss(y_true: Any, y_pred: Any) -> torch.Tensor:
        return of_pair(*_pair(y_true, y_pred))

    return loss


for _names, _of_pair in _FUNCTIONS.items():
    _one = _function(_of_pair)
    for _name in _names:
        _places = ["losses"] if _name in ("logcosh", "categorical_hinge") else ["losses", "metrics"]
        register(_one, *[f"keras.{place}.{_name}" for place in _places])


@symbol("keras.losses.cosine_similarity", "keras.losses.cosine_proximity", "keras.metrics.cosine_proximity")
def cosine_similarity(y_true: Any, y_pred: Any, axis: Any = -1) -> torch.Tensor:
    """Return the negative cosine of the angle between vectors."""
    y, x = _pair(y_true, y_pred)
    return -(l2_normalize(y, axis) * l2_normalize(x, axis)).sum(axis)


@symbol("keras.losses.binary_crossentropy", "keras.metrics.binary_crossentropy")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0
) -> torch.Tensor:
    """Return the mean cross-entropy of binary labels."""
    true, predicted = tensors(y_true, y_pred)
    y = true.to(wide(predicted).dtype) * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return entropies.binary_crossentropy(y, predicted, from_logits).mean(-1)


@symbol("keras.losses.categorical_crossentropy", "keras.metrics.categorical_crossentropy")
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0
) -> torch.Tensor:
    """Return the cross-entropy of one-hot labels along the last axis."""
    true, predicted = tensors(y_true, y_pred)
    y = true.to(wide(predicted).dtype) * (1.0 - label_smoothing) + label_smoothing / true.shape[-1]
    return entropies.categorical_crossentropy(y, predicted, from_logits)


@symbol("keras.losses.sparse_categorical_crossentropy", "keras.metrics.sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: Any = -1
) -> torch.Tensor:
    """Return the cross-entropy of whole-number labels along an axis."""
    return entropies.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)


def _huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> torch.Tensor:
    y, x = _pair(y_true, y_pred)
    return F.huber_loss(x, y, reduction="none", delta=delta).mean(-1)


@symbol("keras.losses.Reduction")
class Reduction:
    """What becomes of the loss of each item."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


_SHARED = ("reduction", "name")


@symbol("keras.losses.Loss")
class Loss:
    """A loss that is called with true and predicted values and, maybe, weights.

    Args:
        reduction: see :class:`Reduction`.
        name: ignored.
    """

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = None) -> None:
        self.reduction = reduction
        self.name = name

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each item.

        Raises:
            ClaraError: the class does not say how.
        """
        raise refusal(f"{type(self).__name__} does not define call(y_true, y_pred)")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> torch.Tensor:
        losses = as_tensor(self.call(y_true, y_pred))
        if sample_weight is not None:
            weight = as_tensor(sample_weight, like=losses).to(losses.dtype)
            if weight.ndim == losses.ndim + 1 and weight.shape[-1] == 1:
                weight = weight.squeeze(-1)
            losses = losses * weight.reshape([*weight.shape, *[1] * (losses.ndim - weight.ndim)])
        if self.reduction == Reduction.NONE:
            return losses
        return losses.sum() if self.reduction == Reduction.SUM else losses.mean()


def _class(name: str, function: Callable[..., Any], **defaults: Any) -> type[Loss]:
    """Make the class of a function; ``defaults`` are its further arguments, which come first, as in Keras."""

    def __init__(self: Any, *args: Any, **named: Any) -> None:  # noqa: N807 -- of the class that is made
        order = [*defaults, *_SHARED]
        if len(args) > len(order) or not set(named) <= set(order):
            raise refusal(f"keras.losses.{name} takes {', '.join(order)}")
        values = {**dict(zip(order, args, strict=False)), **named}
        Loss.__init__(self, values.get("reduction", Reduction.AUTO), values.get("name"))
        self.arguments = {key: values.get(key, default) for key, default in defaults.items()}

    def call(self: Any, y_true: Any, y_pred: Any) -> Any:
        return function(y_true, y_pred, **self.arguments)

    made = type(name, (Loss,), {"__init__": __init__, "call": call, "__doc__": function.__doc__})
    register(made, f"keras.losses.{name}")
    return made


for _class_name, _short in {
    "MeanSquaredError": "mse",
    "MeanAbsoluteError": "mae",
    "MeanAbsolutePercentageError": "mape",
    "MeanSquaredLogarithmicError": "msle",
    "Hinge": "hinge",
    "SquaredHinge": "squared_hinge",
    "CategoricalHinge": "categorical_hinge",
    "LogCosh": "logcosh",
    "Poisson": "poisson",
    "KLDivergence": "kld",
}.items():
    _class(_class_name, SYMBOLS[f"tensorflow.keras.losses.{_short}"].value)
_class("BinaryCrossentropy", binary_crossentropy, from_logits=False, label_smoothing=0)
_class("CategoricalCrossentropy", categorical_crossentropy, from_logits=False, label_smoothing=0)
_class("SparseCategoricalCrossentropy", sparse_categorical_crossentropy, from_logits=False)
_class("CosineSimilarity", cosine_similarity, axis=-1)
_class("Huber", _huber, delta=1.0)


@symbol("keras.losses.get", "keras.losses.deserialize")
def get(identifier: Any) -> Any:
    """Return the loss of a name, or a function as it is.

    Raises:
        ClaraError: there is none of this name.
    """
    if identifier is None or callable(identifier):
        return identifier
    prefix = "tensorflow.keras.losses."
    found = SYMBOLS.get(f"{prefix}{identifier}")
    if found is None:
        names = [name.removeprefix(prefix) for name in SYMBOLS if name.startswith(prefix)]
        raise refusal(f"there is no loss '{identifier}'{suggestion(str(identifier), names)}")
    return found.value
