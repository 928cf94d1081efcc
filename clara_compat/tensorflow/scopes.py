"""``tf.variable_scope``, ``tf.name_scope``, ``tf.get_variable`` and collections, with TensorFlow 1's names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.graph import Deferred, Graph, current
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes
from clara_compat.tensorflow.variable_scope import VariableScope

__all__ = [
    "AUTO_REUSE",
    "GraphKeys",
    "collect_variable",
    "first_value",
    "get_variable",
    "name_scope",
    "regularize",
    "variable_scope",
]


class _AutoReuse:
    def __repr__(self) -> str:
        return "AUTO_REUSE"


AUTO_REUSE = _AutoReuse()
register(AUTO_REUSE, "AUTO_REUSE")
register(VariableScope, "VariableScope")


@symbol("GraphKeys")
class GraphKeys:
    """Names of collections."""

    GLOBAL_VARIABLES = "variables"
    VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    MODEL_VARIABLES = "model_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    LOSSES = "losses"
    UPDATE_OPS = "update_ops"
    SUMMARIES = "summaries"
    WEIGHTS = "weights"
    BIASES = "biases"
    ACTIVATIONS = "activations"
    GLOBAL_STEP = "global_step"
    INIT_OP = "init_op"
    QUEUE_RUNNERS = "queue_runners"


@symbol("variable_scope")
@contextmanager
def variable_scope(
    name_or_scope: str | VariableScope | None,
    default_name: str | None = None,
    values: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    reuse: Any = None,
    dtype: Any = None,
    use_resource: Any = None,
    constraint: Any = None,
    auxiliary_name_scope: bool = True,
) -> Iterator[VariableScope]:
    """Open a scope whose name stands in front of the variables made in it; see TensorFlow 1's ``variable_scope``.

    Raises:
        ClaraError: neither a name nor a default name is given, or a custom getter.
    """
    graph = current("a variable scope")
    if custom_getter is not None:
        raise refusal("tf.variable_scope(custom_getter=...) is not provided")
    absolute = isinstance(name_or_scope, VariableScope)
    if name_or_scope is None:
        if default_name is None:
            raise refusal("tf.variable_scope needs a name or a default_name")
        short, name = default_name, graph.unique_variable_scope(default_name)
    elif isinstance(name_or_scope, VariableScope):
        short, name = name_or_scope.name.rpartition("/")[2], name_or_scope.name
    else:
        short, name = name_or_scope.rpartition("/")[2], name_or_scope
    below = graph.scope.name
    full = name if absolute or not below else f"{below}/{name}" if name else below
    base = name_or_scope if isinstance(name_or_scope, VariableScope) else graph.scope
    counts = dict(graph.names.variable_scopes)
    with (
        graph.named(short) if auxiliary_name_scope and short else nullcontext(),
        graph.scoped(
            name=full,
            reuse=reuse or base.reuse,
            initializer=base.initializer if initializer is None else initializer,
            regularizer=base.regularizer if regularizer is None else regularizer,
            constraint=base.constraint if constraint is None else constraint,
            dtype=base.dtype if dtype is None else dtype,
            original_name_scope=base.original_name_scope if absolute else f"{graph.name_scope}/",
        ) as scope,
    ):
        yield scope
    if absolute:
        graph.names.variable_scopes = counts


@symbol("name_scope", "keras.backend.name_scope")
@contextmanager
def name_scope(name: str | None, default_name: str | None = None, values: Any = None) -> Iterator[str]:
    """Open a scope for the names of operations, which Keras layers and ``tf.Variable`` take over for variables."""
    with current("a name scope").named(default_name if name is None else name) as full:
        yield full


@symbol("get_variable_scope")
def get_variable_scope() -> VariableScope:
    """Return the current variable scope."""
    return current("a variable scope").scope


@symbol("get_variable")
def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Sequence[str] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: Any = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = None,
    aggregation: Any = None,
) -> torch.Tensor:
    """Return the variable ``name`` of the current scope, a new one or, by the scope's ``reuse``, an earlier one.

    Raises:
        ClaraError: it exists and must not, or the other way round.
    """
    graph = current("a variable")
    scope = graph.scope
    full = f"{scope.name}/{name}" if scope.name else name
    if full in graph.names.made:
        if not scope.reuse:
            raise refusal(
                f"the variable '{full}' exists already: pass reuse=True or reuse=tf.AUTO_REUSE to its scope to share it"
            )
        found = graph.store[graph.names.made[full]]
        if shape is not None and list(found.shape) != sizes(shape):
            raise refusal(
                f"the variable '{full}' has the shape {list(found.shape)}, here it is shared as {sizes(shape)}"
            )
        return found
    if scope.reuse is True:
        raise refusal(f"the variable '{full}' does not exist, but its scope says reuse=True: pass tf.AUTO_REUSE")
    initializer = scope.initializer if initializer is None else initializer
    with graph.named(None):
        unique = graph.unique_name(full)
    value = _Initial(shape, scope.dtype if dtype is None else dtype, initializer)
    constraint = scope.constraint if constraint is None else constraint
    variable = graph.variable(unique, value.shape, value.dtype, value, trainable is not False, constraint)
    graph.names.made[full] = unique
    collect_variable(graph, variable, collections, trainable is not False)
    regularize(graph, variable, scope.regularizer if regularizer is None else regularizer)
    return variable


def collect_variable(graph: Graph, variable: torch.Tensor, collections: Sequence[str] | None, trainable: bool) -> None:
    """Put a new variable into its collections, by default that of all, and that of the trainable ones."""
    names = list(collections or [GraphKeys.GLOBAL_VARIABLES])
    if trainable:
        names.append(GraphKeys.TRAINABLE_VARIABLES)
    for collection in dict.fromkeys(names):
        graph.collect(collection, variable)


def regularize(graph: Graph, variable: torch.Tensor, regularizer: Callable[[torch.Tensor], Any] | None) -> None:
    """Put the penalty of a variable into the collection of regularization losses; it is computed when asked for."""
    if regularizer is not None:
        graph.collect(GraphKeys.REGULARIZATION_LOSSES, Deferred(lambda: regularizer(variable)))


class _Initial:
    """The first value of a variable, from whatever ``get_variable`` takes as its initializer."""

    def __init__(self, shape: Any, dtype: Any, initializer: Any) -> None:
        self._initializer = initializer
        self._is_value = initializer is not None and not callable(initializer)
        if self._is_value:
            array = initializer if isinstance(initializer, torch.Tensor) else np.asarray(initializer)
            self.shape = list(array.shape)
            single = torch_dtype("float32" if array.dtype in (np.float64, torch.float64) else array.dtype)
            self.dtype = single if dtype is None else torch_dtype(dtype)
            return
        if shape is None:
            raise refusal("a variable needs a shape, or an initializer that is a value")
        self.shape, self.dtype = sizes(shape), torch.float32 if dtype is None else torch_dtype(dtype)

    def __call__(self) -> torch.Tensor:
        if self._is_value:
            return as_tensor(self._initializer, self.dtype)
        return first_value(self.shape, self.dtype, self._initializer)


def first_value(shape: list[int], dtype: torch.dtype, initializer: Any = None) -> torch.Tensor:
    """Return the first value of a variable.

    Args:
        shape: in TensorFlow's layout.
        dtype: its type.
        initializer: called with the shape and the type; None: Glorot's uniform one for floating point, else zeros.
    """
    if initializer is None:
        if not dtype.is_floating_point:
            return torch.zeros(shape, dtype=dtype)
        from clara_compat.tensorflow.initializers import glorot_uniform_initializer

        initializer = glorot_uniform_initializer()
    if isinstance(initializer, type):
        initializer = initializer()
    value = initializer(shape, dtype=dtype)
    return value if isinstance(value, torch.Tensor) else torch.as_tensor(np.asarray(value))


@symbol("get_collection")
def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """Return what is in a collection; of variables those whose name begins with ``scope``."""
    graph = current("a collection")
    found = graph.collected(key)
    if scope is None:
        return found
    return [one for one in found if (graph.store.name_of(one) or "").startswith(scope)]


@symbol("add_to_collection")
def add_to_collection(name: str, value: Any) -> None:
    """Put a value into a collection."""
    current("a collection").collect(name, value)


@symbol("add_to_collections")
def add_to_collections(names: str | Sequence[str], value: Any) -> None:
    """Put a value into collections."""
    for name in [names] if isinstance(names, str) else names:
        add_to_collection(name, value)


@symbol("get_collection_ref")
def get_collection_ref(key: str) -> list[Any]:
    """Return a collection itself."""
    return current("a collection").collections.setdefault(key, [])


@symbol("trainable_variables")
def trainable_variables(scope: str | None = None) -> list[Any]:
    """Return the trainable variables made so far."""
    return get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


@symbol("global_variables", "all_variables")
def global_variables(scope: str | None = None) -> list[Any]:
    """Return the variables made so far."""
    return get_collection(GraphKeys.GLOBAL_VARIABLES, scope)
