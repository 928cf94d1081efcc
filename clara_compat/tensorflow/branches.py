"""Where a pass is in the branches of ``tf.cond`` and in loops, which TensorFlow builds once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from clara_compat.tensorflow.names import Names
from clara_compat.tensorflow.place import refusal

if TYPE_CHECKING:
    from clara_compat.tensorflow.graph import Graph

__all__ = ["Branches"]


class Branches:
    """The branches and loops of one pass.

    Args:
        conditions: the counters between and after the two branches of each ``tf.cond``, by its place: its number in the
            branch or loop around, behind the place of that. A building pass fills it for later ones.
    """

    def __init__(self, conditions: dict[tuple[Any, ...], tuple[Names, Names]]) -> None:
        self.conditions = conditions
        self._place: tuple[Any, ...] = ()
        self._met = 0

    def condition(self, graph: Graph, is_true: bool, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
        """Run one of two branches with the names it would have had: TensorFlow builds both, the true one first."""
        place = self._next_place()
        if graph.building:
            with self._inside(place, True):
                of_true = true_fn()
            between = graph.names.copy()
            with self._inside(place, False):
                of_false = false_fn()
            self.conditions[place] = between, graph.names.copy()
            return of_true if is_true else of_false
        known = self.conditions.get(place)
        if known is None and not self._place:
            raise refusal("this tf.cond was not met when the component was built: its branches cannot be run")
        if known is not None and not is_true:
            graph.names = known[0].copy()
        with self._inside(place, is_true):
            result = true_fn() if is_true else false_fn()
        if known is not None:  # else it is in a loop that had no round when it was built
            graph.names = known[1].copy()
        return result

    def loop(self, graph: Graph, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function of a loop with the names of its first round in each: TensorFlow builds it once."""
        place, names = self._next_place(), graph.names.copy()

        def in_a_round(*args: Any) -> Any:
            graph.names = names.copy()
            with self._inside(place, "round"):
                return function(*args)

        return in_a_round

    def _next_place(self) -> tuple[Any, ...]:
        self._met += 1
        return (*self._place, self._met)

    @contextmanager
    def _inside(self, place: tuple[Any, ...], part: Any) -> Iterator[None]:
        before = self._place, self._met
        self._place, self._met = (*place, part), 0
        try:
            yield
        finally:
            self._place, self._met = before
