"""One pass through user code, which TensorFlow would have called building a graph.

TensorFlow 1 runs a component once and keeps the graph it made. Here the component runs in every step on real tensors,
and each pass starts with the counters of an empty graph, so that the same code finds the same variables by the same
names. The first passes create the variables; then the store is frozen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from weakref import ref

import torch

from clara_compat.tensorflow.assignments import Assignments, Group
from clara_compat.tensorflow.branches import Branches
from clara_compat.tensorflow.names import Names, construction_names
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.store import VariableStore
from clara_compat.tensorflow.variable_scope import VariableScope

__all__ = [
    "Deferred",
    "Graph",
    "current",
    "entered",
    "layer_names",
    "running",
]

_running = threading.local()


class Graph:
    """One pass: which variables there are, what its names and scopes are, and whether it trains.

    Args:
        store: the variables.
        training: what ``is_training`` is in this pass.
        building: whether the pass creates variables, on a made-up input; moving averages stay as they are.
        device: where new tensors are made.
        conditions: what earlier building passes recorded of ``tf.cond``, by its place in the pass.
        names: counters to go on from: those of layers made in ``__init__``.
        keras: Keras's settings of the component's run; None for those of the present one.
    """

    def __init__(
        self,
        store: VariableStore,
        *,
        training: bool,
        building: bool = False,
        device: torch.device | None = None,
        conditions: dict[tuple[Any, ...], tuple[Names, Names]] | None = None,
        names: Names | None = None,
        keras: Any = None,
    ) -> None:
        self.store = store
        self.keras = keras
        self.training = training
        self.building = building
        self.device = device or torch.device("cpu")
        self.names = Names() if names is None else names.copy()
        self.scope = VariableScope()
        self.name_scope = ""
        self.learning_phase: Any = False
        self.collections: dict[str, list[Any]] = {}
        self.input_shape: tuple[int, ...] = ()
        """Shape of the pass's input in the declared layout, as far as there is one."""
        self.input_dtype = torch.float32
        """Type of the pass's input."""
        self.in_python = False
        """Whether a Python function of the user's runs that TensorFlow runs in every step."""
        self.assignments = Assignments()
        self._operations: dict[int, tuple[ref[torch.Tensor], str]] = {}
        self.constants: dict[int, tuple[torch.Tensor, Any]] = {}
        """Whole numbers that were made tensors, by the tensors' identity: an exported network knows no values."""
        self.context: Any = None
        """The ``BuildContext`` of this pass."""
        self.layers: dict[int, Any] = {}
        """What each Keras layer, by its identity, has made in this pass."""
        self.layer_training: Any = None
        """What ``training`` was in the call of the Keras layer around."""
        self.recorded: dict[int, Any] = {}
        """What made the tensors that come from a ``keras.Input``, by their identity."""
        self.standing_in = False
        """Whether layers run on a made-up input, for the shapes only."""
        self.branches = Branches({} if conditions is None else conditions)

    def unique_name(self, name: str) -> str:
        """Return a name that nothing in this graph has, as TensorFlow makes it: ``conv``, ``conv_1``.

        Args:
            name: the wanted name; put below the current name scope.
        """
        full = f"{self.name_scope}/{name}" if self.name_scope else name
        used, base = self.names.used, full.lower()
        number = used.get(base, 0)
        used[base] = number + 1
        if number == 0:
            return full
        while f"{base}_{number}" in used:
            number += 1
        used[f"{base}_{number}"] = 1
        return f"{full}_{number}"

    @contextmanager
    def named(self, name: str | None) -> Iterator[str]:
        """Open a name scope.

        Args:
            name: below the current one, made unique; a name that ends in a slash is entered again as it is; None or an
                empty one leads to the top.

        Yields:
            Its full name, with a slash at the end.
        """
        before = self.name_scope
        if not name:
            self.name_scope = ""
        else:
            self.name_scope = name[:-1] if name.endswith("/") else self.unique_name(name)
        try:
            yield f"{self.name_scope}/" if self.name_scope else ""
        finally:
            self.name_scope = before

    @contextmanager
    def scoped(self, **changes: Any) -> Iterator[VariableScope]:
        """Open a variable scope that differs from the current one by ``changes``; sub-scopes count anew after it."""
        before = self.scope
        self.scope = scope = replace(before, **changes)
        counts = self.names.variable_scopes
        counts[scope.name] = counts.get(scope.name, 0) + 1
        try:
            yield scope
        finally:
            self.scope = before
            below = f"{scope.name}/" if scope.name else ""
            for name in self.names.variable_scopes:
                if name.startswith(below):
                    self.names.variable_scopes[name] = 0

    def unique_variable_scope(self, prefix: str) -> str:
        """Return ``prefix``, with the first free number if a scope of this name was opened in the current one."""
        counts = self.names.variable_scopes
        full = f"{self.scope.name}/{prefix}" if self.scope.name else prefix
        if not counts.get(full):
            return prefix
        number = 1
        while counts.get(f"{full}_{number}"):
            number += 1
        return f"{prefix}_{number}"

    def variable(
        self,
        name: str,
        shape: list[int],
        dtype: torch.dtype,
        initial: Callable[[], torch.Tensor],
        trainable: bool = True,
        constraint: Callable[[torch.Tensor], Any] | None = None,
    ) -> torch.Tensor:
        """Return the variable of a full name, created when this is a building pass.

        Args:
            name: TensorFlow's name of it, without ``:0``.
            shape: its shape in TensorFlow's layout.
            dtype: its type.
            initial: makes its first value.
            trainable: whether optimizers change it.
            constraint: what it becomes after each step of the optimizer.

        Raises:
            ClaraError: it was not there when the component was built, or has another shape.
        """
        if self.building and name not in self.store:
            self.store.create(name, initial().to(dtype), trainable)
            if constraint is not None and trainable:
                self.store.constraints[name] = constraint
        if name not in self.store:
            raise refusal(
                f"the variable '{name}' is made after the component was built: make the same layers in every call, "
                "whatever the data are"
            )
        variable = self.store[name]
        if list(variable.shape) != shape:
            raise refusal(
                f"the variable '{name}' has the shape {list(variable.shape)}, here it is asked for as {shape}: a "
                "variable's shape cannot depend on the batch"
            )
        return variable

    def collect(self, collection: str, value: Any) -> None:
        """Put a value into a collection; a function is called when somebody asks for the collection."""
        self.assignments.keep(value)
        self.collections.setdefault(collection, []).append(value)

    def collected(self, collection: str) -> list[Any]:
        """Return what is in a collection, in order; a function that makes None (no penalty) has put nothing there."""
        found = [one() if isinstance(one, Deferred) else one for one in self.collections.get(collection, [])]
        return [value for value in found if value is not None]

    def run_updates(self, operations: Any) -> None:
        """Run updates that wait to be asked for, in lists of any depth; others have run already.

        In a building pass nothing is run: its values are made up.
        """
        if isinstance(operations, list | tuple):
            for operation in operations:
                self.run_updates(operation)
        elif isinstance(operations, Deferred | Group) and not self.building:
            operations()
        elif isinstance(operations, torch.Tensor) and not self.building:
            self.assignments.run(operations)

    def finish(self) -> None:
        """Run what a training pass assigned and put nowhere."""
        if self.training and not self.building:
            self.assignments.run_free()

    def made_by(self, operation: str, tensor: torch.Tensor) -> None:
        """Take note of the operation that made a tensor, by its full name; the tensor is not kept."""
        self._operations[id(tensor)] = ref(tensor), operation

    def operation_of(self, tensor: torch.Tensor) -> str | None:
        """Return the name of the operation that made a tensor, if it is known."""
        known = self._operations.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else None


class Deferred:
    """A value of a collection that is computed when somebody asks for it.

    Args:
        function: makes the value.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def __call__(self) -> Any:
        """Compute the value."""
        return self._function()


def layer_names() -> Names:
    """Return the counters that a layer made now counts in."""
    graph = running()
    return construction_names() if graph is None else graph.names


def running() -> Graph | None:
    """Return the pass that is going on in this thread, or None."""
    stack = getattr(_running, "stack", None)
    return stack[-1] if stack else None


def current(what: str = "this") -> Graph:
    """Return the pass that is going on.

    Args:
        what: what needs one, for the message.

    Raises:
        ClaraError: the user's code runs outside of one.
    """
    graph = running()
    if graph is None:
        raise refusal(
            f"{what} is made outside of get_predictions and get_loss: there is no graph yet when a component is "
            "created, make it there"
        )
    return graph


@contextmanager
def entered(graph: Graph) -> Iterator[Graph]:
    """Make a pass the one that is going on in this thread."""
    stack = _running.__dict__.setdefault("stack", [])
    stack.append(graph)
    try:
        yield graph
    finally:
        stack.pop()
