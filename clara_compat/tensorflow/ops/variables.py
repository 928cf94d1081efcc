"""``tf.Variable``, and assignments to variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.keras_settings import keras_settings
from clara_compat.tensorflow.operands import ATTRIBUTES
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.scopes import GraphKeys

__all__ = ["make_variable", "variable"]


def make_variable(
    initial_value: Any,
    name: str | None,
    dtype: Any = None,
    trainable: bool = True,
    collections: Sequence[str] | None = None,
    constraint: Any = None,
) -> torch.Tensor:
    """Return the variable that ``tf.Variable`` makes at this place of a pass.

    Args:
        initial_value: its first value, or a function that gives it.
        name: below the name scope, made unique; ``Variable``.
        dtype: that of the value.
        trainable: whether optimizers change it.
        collections: where it is listed.
        constraint: a function: what it becomes after each step of the optimizer.
    """
    graph = current("a variable")
    full = graph.unique_name(name or "Variable")
    value = as_tensor(initial_value() if callable(initial_value) else initial_value, dtype)
    found = graph.variable(full, list(value.shape), value.dtype, lambda: value, trainable, constraint)
    names = list(collections or [GraphKeys.GLOBAL_VARIABLES]) + [GraphKeys.TRAINABLE_VARIABLES] * trainable
    for collection in dict.fromkeys(names):
        graph.collect(collection, found)
    return found


@symbol("Variable", "contrib.eager.Variable")
def variable(
    initial_value: Any = None,
    trainable: bool | None = None,
    collections: Sequence[str] | None = None,
    validate_shape: bool = True,
    caching_device: Any = None,
    name: str | None = None,
    variable_def: Any = None,
    dtype: Any = None,
    expected_shape: Any = None,
    import_scope: Any = None,
    constraint: Any = None,
    use_resource: Any = None,
    synchronization: Any = None,
    aggregation: Any = None,
    shape: Any = None,
) -> torch.Tensor:
    """Return a variable, named by the name scope.

    Raises:
        ClaraError: there is no first value.
    """
    if initial_value is None:
        raise refusal("tf.Variable needs an initial_value")
    return make_variable(initial_value, name, dtype, trainable is not False, collections, constraint)


def _assignment(kind: str) -> Callable[..., torch.Tensor]:
    def assignment(ref: Any, value: Any, validate_shape: Any = None, use_locking: Any = None, name: Any = None) -> Any:
        if not isinstance(ref, torch.Tensor):
            raise refusal(f"tf.{kind} takes a variable, not {type(ref).__name__}")
        return ATTRIBUTES[kind](ref)(value)

    return assignment


for _kind in ("assign", "assign_add", "assign_sub"):
    register(_assignment(_kind), _kind)
register(_assignment("assign"), "keras.backend.update")
register(_assignment("assign_add"), "keras.backend.update_add")
register(_assignment("assign_sub"), "keras.backend.update_sub")


@symbol("keras.backend.variable")
def backend_variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> torch.Tensor:
    """Return a trainable variable, named by the name scope."""
    return make_variable(as_tensor(value, torch_dtype(dtype or keras_settings().floatx)), name, constraint=constraint)


@symbol("keras.backend.moving_average_update")
def moving_average_update(x: Any, value: Any, momentum: Any) -> torch.Tensor:
    """Move a variable towards a value, by ``1 - momentum`` of the way."""
    moved: torch.Tensor = ATTRIBUTES["assign_sub"](x)((x - as_tensor(value).to(x.dtype)).detach() * (1 - momentum))
    return moved
