"""``tf.train.ExponentialMovingAverage``, with which batch normalisation was written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import ref

import torch

from clara_compat.tensorflow.assignments import Group
from clara_compat.tensorflow.graph import Graph, current
from clara_compat.tensorflow.operands import ATTRIBUTES
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.scopes import GraphKeys

__all__ = ["ExponentialMovingAverage"]


@symbol("train.ExponentialMovingAverage")
class ExponentialMovingAverage:
    """Averages of tensors and variables over the steps.

    The average of ``scope/moments/Squeeze`` is the variable
    ``scope/scope/moments/Squeeze/ExponentialMovingAverage``, as in TensorFlow.

    Args:
        decay: share of the average that stays in a step.
        num_updates: with it, the share is at most ``(1 + num_updates) / (10 + num_updates)``.
        zero_debias: True is refused.
        name: the last part of the variables' names.
    """

    def __init__(
        self, decay: Any, num_updates: Any = None, zero_debias: bool = False, name: str = "ExponentialMovingAverage"
    ) -> None:
        if zero_debias:
            raise refusal("tf.train.ExponentialMovingAverage(zero_debias=True) is not provided")
        self._decay, self._updates, self.name = decay, num_updates, name
        self._graph: ref[Graph] | None = None
        self._averages: dict[int, torch.Tensor] = {}

    def apply(self, var_list: Sequence[torch.Tensor] | None = None) -> Group:
        """Return the operation that moves the averages of tensors or variables, of all trainable ones by default."""
        graph = current("a moving average")
        values = graph.collected(GraphKeys.TRAINABLE_VARIABLES) if var_list is None else list(var_list)
        share = self._decay
        if self._updates is not None:
            share = min(float(share), (1.0 + float(self._updates)) / (10.0 + float(self._updates)))
        averages = [(self._average(graph, value), value) for value in values]
        moves = [ATTRIBUTES["assign_sub"](one)((one - value.detach()) * (1 - share)) for one, value in averages]
        graph.assignments.keep(moves)
        return Group(moves, graph.run_updates)

    def average(self, var: torch.Tensor) -> torch.Tensor:
        """Return the variable that holds the average of a tensor or variable."""
        return self._average(current("a moving average"), var)

    def average_name(self, var: torch.Tensor) -> str:
        """Return the name of the variable that holds the average."""
        return f"{self._operation(current('a moving average'), var)}/{self.name}"

    def _operation(self, graph: Graph, value: torch.Tensor) -> str:
        name = graph.store.name_of(value) or graph.operation_of(value)
        if name is None:
            raise refusal(
                "tf.train.ExponentialMovingAverage of a tensor whose operation has no name: take tf.nn.moments, "
                "tf.reduce_mean, or tf.identity(x, name=...)"
            )
        return name

    def _average(self, graph: Graph, value: torch.Tensor) -> torch.Tensor:
        if self._graph is None or self._graph() is not graph:
            self._graph, self._averages = ref(graph), {}
        if id(value) not in self._averages:
            name = f"{self._operation(graph, value)}/{self.name}"
            full = f"{graph.scope.name}/{name}" if graph.scope.name else name
            is_new, is_variable = full not in graph.store, graph.store.name_of(value) is not None
            found = graph.variable(
                full,
                list(value.shape),
                value.dtype if is_new else graph.store[full].dtype,
                lambda: value.detach().clone() if is_variable else torch.zeros_like(value),
                trainable=False,
            )
            self._averages[id(value)] = found
            graph.collect(GraphKeys.GLOBAL_VARIABLES, found)
        return self._averages[id(value)]
