"""``keras.backend``: settings, the learning phase, and what is known of a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import as_dtype, torch_dtype
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.keras_settings import keras_settings
from clara_compat.tensorflow.operands import ATTRIBUTES
from clara_compat.tensorflow.ops.control import cond
from clara_compat.tensorflow.ops.creating import shape
from clara_compat.tensorflow.ops.picking import where
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["channels_first", "floatx"]


@symbol("keras.backend.backend")
def backend() -> str:
    """Return the name of what Keras runs on."""
    return "tensorflow"


@symbol("keras.backend.epsilon")
def epsilon() -> float:
    """Return the small number."""
    return keras_settings().epsilon


@symbol("keras.backend.set_epsilon")
def set_epsilon(value: float) -> None:
    """Set the small number."""
    keras_settings().epsilon = float(value)


@symbol("keras.backend.floatx")
def floatx() -> str:
    """Return the type of constants and variables that are given none."""
    return keras_settings().floatx


@symbol("keras.backend.set_floatx")
def set_floatx(value: str) -> None:
    """Set the type of constants and variables that are given none.

    Raises:
        ClaraError: it is no floating point type.
    """
    if value not in ("float16", "float32", "float64"):
        raise refusal(f"floatx is '{value}', expected float16, float32 or float64")
    keras_settings().floatx = value


@symbol("keras.backend.cast_to_floatx")
def cast_to_floatx(x: Any) -> Any:
    """Return an array or tensor in the default type."""
    return as_tensor(x, floatx()) if isinstance(x, torch.Tensor) else np.asarray(x, floatx())


@symbol("keras.backend.image_data_format", "keras.backend.image_dim_ordering")
def image_data_format() -> str:
    """Return the default layout."""
    return keras_settings().image_data_format


@symbol("keras.backend.set_image_data_format")
def set_image_data_format(data_format: str) -> None:
    """Set the default layout.

    Raises:
        ClaraError: there is no such layout.
    """
    if data_format not in ("channels_first", "channels_last"):
        raise refusal(f"data_format is '{data_format}', expected channels_first or channels_last")
    keras_settings().image_data_format = data_format


def channels_first(data_format: str | None) -> bool:
    """Whether the channels are axis 1; None: as the default layout says.

    Raises:
        ClaraError: there is no such layout.
    """
    found = image_data_format() if data_format is None else data_format
    if found not in ("channels_first", "channels_last"):
        raise refusal(f"data_format is '{found}', expected channels_first or channels_last")
    return found == "channels_first"


@symbol("keras.backend.learning_phase")
def learning_phase() -> Any:
    """Return what ``set_learning_phase`` set in this pass; False, as an unfed placeholder of TensorFlow 1 says."""
    graph = running()
    return False if graph is None else graph.learning_phase


@symbol("keras.backend.set_learning_phase")
def set_learning_phase(value: Any) -> None:
    """Set the learning phase of this pass.

    Raises:
        ClaraError: it is to be 1 before there is a pass.
    """
    graph = running()
    if graph is not None:
        graph.learning_phase = bool(value)
    elif value:
        raise refusal("K.set_learning_phase(1) has no graph to act on yet: call it in get_predictions")


@symbol("keras.backend.learning_phase_scope")
class LearningPhaseScope:
    """Sets the learning phase inside a ``with``.

    Args:
        value: what it is set to.
    """

    def __init__(self, value: Any) -> None:
        self._value = value
        self._before: Any = False

    def __enter__(self) -> None:
        self._before = learning_phase()
        set_learning_phase(self._value)

    def __exit__(self, *_: object) -> None:
        set_learning_phase(self._before)


@symbol("keras.backend.switch")
def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two values or what functions give: by one condition, or by one for each value or item."""
    chosen = condition if isinstance(condition, bool | int) else as_tensor(condition).bool()
    first, second = (one if callable(one) else _giving(one) for one in (then_expression, else_expression))
    if not isinstance(chosen, torch.Tensor) or chosen.ndim == 0:
        return cond(chosen, first, second)
    of_true, of_false = as_tensor(first()), second()
    if chosen.ndim > of_true.ndim:
        raise refusal(f"K.switch: a condition of {chosen.ndim} axes for values of {of_true.ndim}")
    return where(chosen.reshape([*chosen.shape, *[1] * (of_true.ndim - chosen.ndim)]), of_true, of_false)


def _giving(value: Any) -> Any:
    return lambda: value


@symbol("keras.backend.in_train_phase")
def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return ``x`` in training and ``alt`` otherwise; functions are called."""
    chosen = x if bool(learning_phase() if training is None else training) else alt
    return chosen() if callable(chosen) else chosen


@symbol("keras.backend.in_test_phase")
def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return ``alt`` in training and ``x`` otherwise; functions are called."""
    return in_train_phase(alt, x, training)


register(shape, "keras.backend.shape")


@symbol("keras.backend.int_shape", note="The batch size is known, where Keras has None.")
def int_shape(x: Any) -> tuple[int, ...]:
    """Return the sizes of a tensor."""
    return tuple(int(size) for size in x.shape)


@symbol("keras.backend.ndim")
def ndim(x: Any) -> int:
    """Return how many axes a tensor has."""
    return len(x.shape)


@symbol("keras.backend.dtype")
def dtype(x: Any) -> str:
    """Return the name of a tensor's type."""
    return as_dtype(x.dtype).name


@symbol("keras.backend.count_params")
def count_params(x: Any) -> int:
    """Return how many values a tensor has."""
    return int(np.prod([int(size) for size in x.shape]))


@symbol("keras.backend.is_keras_tensor")
def is_keras_tensor(x: Any) -> bool:
    """Return False: tensors do not remember Keras's layers here."""
    if not isinstance(x, torch.Tensor):
        raise refusal(f"K.is_keras_tensor takes a tensor, not {type(x).__name__}")
    return False


@symbol("keras.backend.is_sparse")
def is_sparse(tensor: Any) -> bool:
    """Return False: there are no sparse tensors here."""
    return False


@symbol("keras.backend.get_value", "keras.backend.eval")
def get_value(x: Any) -> Any:
    """Return the values of a tensor as a numpy array."""
    return ATTRIBUTES["numpy"](x)() if isinstance(x, torch.Tensor) else x


@symbol("keras.backend.batch_get_value")
def batch_get_value(tensors: Any) -> list[Any]:
    """Return the values of tensors as numpy arrays."""
    return [get_value(one) for one in tensors]


@symbol("keras.backend.set_value")
def set_value(x: Any, value: Any) -> None:
    """Set the values of a variable."""
    assigned, graph = ATTRIBUTES["assign"](x)(np.asarray(value)), running()
    if graph is not None:
        graph.run_updates(assigned)


@symbol("keras.backend.batch_set_value")
def batch_set_value(tuples: Any) -> None:
    """Set the values of variables."""
    for x, value in tuples:
        set_value(x, value)


@symbol("keras.backend.constant")
def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> torch.Tensor:
    """Return a tensor of a value, in the default type if none is given."""
    from clara_compat.tensorflow.ops.creating import constant as of_tensorflow

    return of_tensorflow(value, torch_dtype(dtype or floatx()), shape)
