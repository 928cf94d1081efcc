"""What was done to a ``keras.Input``, so that ``keras.Model`` can do it again to another tensor.

Calls of layers are recorded while they run, on the tensor that the input stands for or on a made-up one of its shape.
Tensors that come from a made-up input are of a class of their own, which also records functions that are no layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from clara_compat.tensorflow.graph import Graph, current
from clara_compat.tensorflow.layers.arguments import flat, mapped
from clara_compat.tensorflow.place import refusal

__all__ = ["Node", "Symbolic", "between", "declare", "is_recorded", "record"]

_VALUES = frozenset({"numpy", "tolist", "item", "__bool__", "__float__", "__int__", "__index__", "__array__"})


class Node:
    """One recorded call.

    Args:
        function: the layer, or a function of torch.
        args: its arguments, with the tensors they were.
        kwargs: its keyword arguments.
        outputs: what it returned.
        number: how many were recorded before it.
    """

    def __init__(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any, number: int) -> None:
        self.function = function
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.number = number

    def given(self) -> list[torch.Tensor]:
        """Return the tensors among the arguments."""
        return [one for one in flat([self.args, self.kwargs]) if isinstance(one, torch.Tensor)]

    def again(self, values: dict[int, Any]) -> None:
        """Call the function again, on what stands for its tensors now, and put what it returns into ``values``."""
        args, kwargs = mapped(lambda one: values.get(id(one), one), (list(self.args), self.kwargs))
        found = self.function(*args, **kwargs)
        for before, now in zip(flat(self.outputs), flat(found), strict=True):
            values[id(before)] = now


class Recorded(NamedTuple):
    """What is known of a tensor that comes from an input.

    Args:
        tensor: the tensor.
        node: the call that made it; None for an input.
        given: what an input stands for.
        made_up: whether the values are made up.
    """

    tensor: torch.Tensor
    node: Node | None = None
    given: torch.Tensor | None = None
    made_up: bool = False


class Symbolic(torch.Tensor):
    """A tensor that comes from a made-up input."""

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run a function on the plain tensors, and record it when it returns tensors."""
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in _VALUES:
            raise refusal("the values of a keras Input, or of what comes from it, are asked for: it has none")
        with torch.no_grad():
            found = func(*mapped(_plain, tuple(args)), **mapped(_plain, kwargs))
        if not any(isinstance(one, torch.Tensor) for one in flat(found)):
            return found
        return _noted(current("a keras Input"), func, tuple(args), kwargs, found)


def symbolic(tensor: torch.Tensor) -> torch.Tensor:
    """Return a made-up tensor on which functions of torch are recorded, too.

    torch.export has tensors of its own, which cannot be of another class: there only layers are recorded.
    """
    return tensor.as_subclass(Symbolic) if type(tensor) is torch.Tensor else tensor.view_as(tensor)


def declare(
    graph: Graph, tensor: torch.Tensor, given: torch.Tensor | None = None, made_up: bool = False
) -> torch.Tensor:
    """Record everything that is done to a tensor from now on in this pass.

    Args:
        graph: the pass.
        tensor: the input.
        given: the tensor that it stands for.
        made_up: whether it stands for no tensor.
    """
    graph.recorded[id(tensor)] = Recorded(tensor, given=given, made_up=made_up)
    return tensor


def is_recorded(graph: Graph, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether something among the arguments comes from an input."""
    return any(id(one) in graph.recorded for one in flat([args, kwargs]))


def record(graph: Graph, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a layer and record that."""
    made_up = any(id(one) in graph.recorded and graph.recorded[id(one)].made_up for one in flat([args, kwargs]))
    recorded, graph.recorded = graph.recorded, {}  # what is done inside is the layer's own affair
    standing_in, graph.standing_in = graph.standing_in, made_up or graph.standing_in
    try:
        if made_up:
            with torch.no_grad():
                found = layer(*mapped(_plain, args), **mapped(_plain, kwargs))
        else:
            found = layer(*args, **kwargs)
    finally:
        graph.recorded, graph.standing_in = recorded, standing_in
    outputs = _noted(graph, layer, args, kwargs, found, made_up=made_up)
    node = graph.recorded[id(next(flat(outputs)))].node
    graph.layers[id(layer)].nodes.append(node)
    return outputs


def between(inputs: list[torch.Tensor], outputs: list[Any]) -> list[Node]:
    """Return the recorded calls that lead from inputs to outputs, in the order they were made.

    Raises:
        ClaraError: an output does not come from the inputs.
    """
    graph = current("a keras Model")
    ends = {id(one) for one in inputs}
    found: dict[int, Node] = {}
    waiting = list(outputs)
    reached = {id(one) for one in outputs} & ends
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in ends:
            reached.add(id(tensor))
            continue
        known = graph.recorded.get(id(tensor))
        node = None if known is None else known.node
        if node is not None and node.number not in found:
            found[node.number] = node
            waiting += node.given()
    if not all(id(one) in graph.recorded for one in outputs) or not reached:
        raise refusal(
            "an output of a keras Model does not come from its inputs by layers: put operations between layers into a "
            "Lambda layer"
        )
    return [found[number] for number in sorted(found)]


def _noted(
    graph: Graph, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], found: Any, made_up: bool = True
) -> Any:
    given = {id(one) for one in flat([args, kwargs]) if isinstance(one, torch.Tensor)}

    def as_output(one: Any) -> Any:
        if not isinstance(one, torch.Tensor):
            return one
        if made_up:
            return symbolic(one)
        return one.view_as(one) if id(one) in given or id(one) in graph.recorded else one

    outputs = mapped(as_output, found)
    node = Node(function, args, kwargs, outputs, len(graph.recorded))
    for one in flat(outputs):
        if isinstance(one, torch.Tensor):
            graph.recorded[id(one)] = Recorded(one, node, made_up=made_up)
    return outputs


def _plain(value: Any) -> Any:
    if not isinstance(value, Symbolic):
        return value
    with torch._C.DisableTorchFunctionSubclass():  # noqa: SLF001 -- torch's documented way out of its own protocol
        return value.as_subclass(torch.Tensor)
