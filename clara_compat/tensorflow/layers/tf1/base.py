"""The base of the layers of ``tf.layers``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from clara_compat.tensorflow.graph import Deferred, Graph, current
from clara_compat.tensorflow.layers.arguments import constraint, flat, regularizer
from clara_compat.tensorflow.layers.base import Layer as KerasLayer
from clara_compat.tensorflow.layers.base import snake_case
from clara_compat.tensorflow.layers.weights import Made, Weight, first
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.scopes import GraphKeys, get_variable, regularize, variable_scope
from clara_compat.tensorflow.shapes import sizes
from clara_compat.tensorflow.variable_scope import VariableScope

__all__ = ["Layer"]


@symbol("layers.Layer")
class Layer(KerasLayer):
    """A layer whose variables are made by ``get_variable``: scopes name, share and regularize them.

    Updates are done in the call, where TensorFlow puts them into the collection ``UPDATE_OPS``.

    Args:
        trainable: False keeps its variables from being trained.
        name: of its variable scope; counted by class in the current scope when it is None.
        dtype: of its weights; None: float32.
        **kwargs: what every layer takes; the functions add ``_scope`` and ``_reuse``.
    """

    def __init__(self, trainable: bool = True, name: Any = None, dtype: Any = None, **kwargs: Any) -> None:
        self._given_scope = kwargs.pop("_scope", None)
        self._reuse = kwargs.pop("_reuse", None)
        super().__init__(trainable=trainable, name=name, dtype=dtype, **kwargs)

    def _set_name(self, name: Any) -> None:
        if isinstance(name, VariableScope):
            self._base_name, self._name = name.name, self._counted_name(2)
        elif name:
            self._base_name = self._name = name
        else:
            self._base_name, self._name = snake_case(type(self).__name__), self._counted_name(2)

    def _open(self, graph: Graph, made: Made) -> None:
        """Find the variable scope: that of the function's name, the layer's own one, or the next free one."""
        if made.scope is not None:
            return
        if self._given_scope:
            scope = variable_scope(self._given_scope)
        elif self._reuse:
            scope = variable_scope(self._base_name)
        else:
            scope = variable_scope(None, default_name=self._base_name)
        with scope as made.scope:
            made.name_scope = f"{graph.name_scope}/"

    @contextmanager
    def _inside(self, graph: Graph, made: Made) -> Iterator[None]:
        """Be in the scope, in which everything is reused once the layer is built."""
        if made.inside:
            yield
            return
        self._open(graph, made)
        reuse = True if made.built else self._reuse
        with variable_scope(made.scope, reuse=reuse, auxiliary_name_scope=False), graph.named(made.name_scope):
            made.inside = True
            try:
                yield
            finally:
                made.inside = False

    def _run(self, graph: Graph, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        made = self.made_in(graph)
        with self._inside(graph, made):
            outputs = self._called(graph, made, inputs, args, kwargs)
        if self.trainable:
            for update in made.updates:
                if callable(update):
                    update()
        return outputs

    def _variable(self, graph: Graph, made: Made, weight: Weight) -> torch.Tensor:
        shape = sizes(weight.shape)
        trainable = weight.trainable is not False and self.trainable
        given = weight.initializer
        initializer = None if given is None else lambda shape, dtype: first(list(shape), dtype, given)
        with self._inside(graph, made):
            scope = graph.scope.name
            full = f"{scope}/{weight.name}" if scope else str(weight.name)
            shared = full in graph.names.made
            dtype = weight.dtype or graph.scope.dtype or self.dtype
            rule = constraint(weight.constraint)
            variable = get_variable(str(weight.name), shape, dtype, initializer, trainable=trainable, constraint=rule)
        penalty = regularizer(weight.regularizer)
        if penalty is not None and not shared:
            made.losses.append(lambda: penalty(variable))
            regularize(graph, variable, penalty)
        return variable

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add scalars, or functions that return one, to :attr:`losses` and to the regularization losses."""
        super().add_loss(losses, inputs)
        for one in flat(losses):
            current().collect(GraphKeys.REGULARIZATION_LOSSES, Deferred(one) if callable(one) else one)

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        return self(inputs, *args, **kwargs)

    @property
    def scope_name(self) -> str:
        """The name of its variable scope."""
        graph = current("a scope")
        made = self.made_in(graph)
        self._open(graph, made)
        return str(made.scope.name)
