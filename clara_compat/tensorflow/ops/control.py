"""Control flow: conditions, loops, and the order of operations, which is that of the code here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import ref

import torch

from clara_compat.tensorflow.assignments import Group
from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.graph import Graph, current, running
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.scopes import variable_scope
from clara_compat.tensorflow.variable_scope import VariableScope

__all__ = ["cond", "map_fn", "while_loop"]


@symbol(
    "cond",
    "contrib.framework.smart_cond",
    "framework.smart_cond",
    note="A condition that is a tensor decides for the whole batch in Python; in an exported network it is a constant.",
)
def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable[[], Any] | None = None,
    fn2: Callable[[], Any] | None = None,
) -> Any:
    """Return what one of two functions gives; both are run while the component is built, as in TensorFlow.

    Raises:
        ClaraError: a function is missing, or the condition is no single truth value.
    """
    of_true, of_false = true_fn or fn1, false_fn or fn2
    if not callable(of_true) or not callable(of_false):
        raise refusal("tf.cond takes a condition and two functions, true_fn and false_fn")
    is_true = _truth(pred, "tf.cond")
    graph = running()
    if graph is None:
        return of_true() if is_true else of_false()
    with graph.named(name or "cond"):
        return graph.branches.condition(graph, is_true, of_true, of_false)


def _truth(value: Any, what: str) -> bool:
    if isinstance(value, torch.Tensor) and value.numel() != 1:
        raise refusal(f"{what}: the condition has the shape {list(value.shape)}, expected a single truth value")
    return bool(value)


@symbol("case")
def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """Return what the function of the first true condition gives, or the default.

    Raises:
        ClaraError: no condition is true and there is no default.
    """
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    if not pairs:
        if default is None:
            raise refusal("tf.case: no condition is true and there is no default")
        return default()
    (pred, function), rest = pairs[0], pairs[1:]
    if not rest and default is None:
        if not _truth(pred, "tf.case"):
            raise refusal("tf.case: no condition is true and there is no default")
        return function()
    return cond(pred, function, lambda: case(rest, default), name=name)


@symbol("while_loop", note="A loop of Python; in an exported network it has the length it had on the example.")
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Return the variables of a loop after its condition has become false."""
    values = tuple(_loop_value(value) for value in loop_vars)
    graph, rounds = running(), 0
    names = None if graph is None else graph.names
    cond, body = _built_once(cond), _built_once(body)
    while _truth(cond(*values), "tf.while_loop"):
        if maximum_iterations is not None and rounds >= int(maximum_iterations):
            break
        found = body(*values)
        names = None if graph is None else graph.names
        values = tuple(found) if isinstance(found, list | tuple) else (found,)
        if len(values) != len(loop_vars):
            raise refusal(f"tf.while_loop: the body returned {len(values)} values for {len(loop_vars)} variables")
        rounds += 1
    if graph is not None and names is not None:
        graph.names = names
    if not back_prop:
        values = tuple(value.detach() if isinstance(value, torch.Tensor) else value for value in values)
    if len(values) == 1 and not return_same_structure:
        return values[0]
    return list(values) if isinstance(loop_vars, list) else values


def _built_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a loop calls in each round, which TensorFlow builds once."""
    graph = running()
    return function if graph is None else graph.branches.loop(graph, function)


def _loop_value(value: Any) -> Any:
    return as_tensor(value) if isinstance(value, int | float | bool) else value


@symbol("map_fn", "keras.backend.map_fn")
def map_fn(
    fn: Callable[[Any], Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: Any = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
) -> Any:
    """Return the results of a function on each item of the first axis, stacked."""
    in_a_round = _built_once(fn)
    return _stacked([in_a_round(one) for one in _items(elems)])


def _items(elems: Any) -> list[Any]:
    if isinstance(elems, list | tuple):
        return [type(elems)(one) for one in zip(*(_items(part) for part in elems), strict=True)]
    return list(as_tensor(elems).unbind(0))


def _stacked(results: list[Any]) -> Any:
    if not results:
        raise refusal("tf.map_fn and its like need an item at least")
    if isinstance(results[0], list | tuple):
        return type(results[0])(_stacked(list(part)) for part in zip(*results, strict=True))
    return torch.stack([as_tensor(one) for one in results])


@symbol("scan")
def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Return every intermediate result of a function that takes the last one and the next item."""
    items = _items(elems)
    in_a_round = _built_once(fn)
    result, results = initializer, []
    for one in items[::-1] if reverse else items:
        result = one if result is None else in_a_round(result, one)
        results.append(result)
    return _stacked(results[::-1] if reverse else results)


@symbol("foldl", "keras.backend.foldl")
def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, *_: Any, **__: Any) -> Any:
    """Return the last result of a function that takes the last one and the next item."""
    return _folded(fn, _items(elems), initializer)


@symbol("foldr", "keras.backend.foldr")
def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, *_: Any, **__: Any) -> Any:
    """Return the last result of a function that takes the last one and the next item, from behind."""
    return _folded(fn, _items(elems)[::-1], initializer)


def _folded(fn: Callable[[Any, Any], Any], items: list[Any], result: Any) -> Any:
    in_a_round = _built_once(fn)
    for one in items:
        result = one if result is None else in_a_round(result, one)
    return result


@symbol("control_dependencies")
@contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """Run assignments; other operations run in the order of the code."""
    graph = running()
    for one in control_inputs or ():
        if graph is not None and isinstance(one, torch.Tensor | list | tuple):
            graph.run_updates(one)
        elif callable(one) and not isinstance(one, torch.Tensor):
            one()
    yield


@symbol("group")
def group(*inputs: Any, **_: Any) -> Group | None:
    """Return operations as one, which runs their assignments when it is asked for."""
    graph = running()
    if graph is None:
        return None
    graph.assignments.keep(inputs)
    return Group(inputs, graph.run_updates)


@symbol("no_op")
def no_op(name: str | None = None) -> None:
    """Do nothing."""


@symbol("tuple")
def tf_tuple(tensors: Sequence[Any], name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """Return values as they are."""
    return list(tensors)


@symbol("device", "colocate_with")
@contextmanager
def device(device_name_or_function: Any = None, ignore_existing: bool = False) -> Iterator[None]:
    """Do nothing: a component runs where its input is."""
    yield


class _Template:
    """A function whose variables are made in the first call of a pass and shared by the later ones."""

    def __init__(self, name: str, function: Callable[..., Any], unique: str | None, bound: dict[str, Any]) -> None:
        self._name, self._function, self._unique, self._bound = name, function, unique, bound
        self._graph: Callable[[], Graph | None] = lambda: None
        self._scope: VariableScope | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        graph = current(f"the template '{self._name}'")
        if self._graph() is not graph:
            self._graph, self._scope = ref(graph), None
        again = self._scope is not None
        opened = variable_scope(self._scope, reuse=True) if again else variable_scope(self._unique, self._name)
        with opened as scope:
            self._scope = scope
            return self._function(*args, **{**self._bound, **kwargs})


@symbol("make_template")
def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> Callable[..., Any]:
    """Return a function that shares its variables between calls."""
    return _Template(name_, func_, unique_name_, kwargs)
