"""How a layer's ``add_weight`` reads its arguments, and makes a variable under the name scope of the layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.graph import Graph
from clara_compat.tensorflow.layers.arguments import constraint
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.scopes import collect_variable, first_value
from clara_compat.tensorflow.shapes import sizes

__all__ = ["Made", "Weight", "first", "named_variable"]

_ORDER = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")
_OLD_ORDER = ("shape", "initializer", "name", "trainable", "regularizer", "constraint")
_PLAIN = frozenset(_ORDER)
_MEANINGLESS = frozenset(
    {
        *("partitioner", "use_resource", "synchronization", "aggregation", "getter", "collections"),
        *("experimental_autocast", "autocast", "caching_device"),
    }
)


@dataclass
class Made:
    """What a layer has made in one pass.

    Args:
        layer: the layer itself, so that its identity stays its own.
        built: whether its weights are there.
        trainable: its trainable weights.
        others: its other weights.
        losses: penalties, or functions that compute one.
        updates: functions that change a weight.
        nodes: its recorded calls.
        scope: the variable scope of a layer of ``tf.layers``.
        name_scope: the name scope of that.
        inside: whether both are open now.
    """

    layer: Any
    built: bool = False
    trainable: list[torch.Tensor] = field(default_factory=list)
    others: list[torch.Tensor] = field(default_factory=list)
    losses: list[Any] = field(default_factory=list)
    updates: list[Any] = field(default_factory=list)
    nodes: list[Any] = field(default_factory=list)
    scope: Any = None
    name_scope: str = ""
    inside: bool = False


@dataclass
class Weight:
    """The arguments of ``add_weight`` that mean something here."""

    name: str | None = None
    shape: Any = ()
    dtype: Any = None
    initializer: Any = None
    regularizer: Any = None
    trainable: bool | None = None
    constraint: Any = None

    @classmethod
    def of(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Weight:
        """Read a call: ``add_weight(name, shape, ...)``, or ``add_weight(shape, initializer, name)`` as Keras 1 has it.

        Raises:
            ClaraError: an argument is unknown or given twice.
        """
        if not args and kwargs.get("shape") is not None and kwargs.keys() <= _PLAIN:
            return cls(**kwargs)
        order = _ORDER if not args or args[0] is None or isinstance(args[0], str) else _OLD_ORDER
        found = dict(zip(order, args, strict=False))
        twice = sorted(found.keys() & kwargs)
        unknown = sorted(kwargs.keys() - set(_ORDER) - _MEANINGLESS)
        if twice or unknown or len(args) > len(order):
            what = (
                f"got '{twice[0]}' twice" if twice else f"does not know '{unknown[0]}'" if unknown else "got too much"
            )
            raise refusal(f"add_weight {what}, expected {', '.join(_ORDER)}")
        found |= kwargs
        if found.get("synchronization") is not None and "ON_READ" in str(found["synchronization"]):
            found["trainable"] = False
        known = {key: value for key, value in found.items() if key not in _MEANINGLESS}
        return cls(**known | ({"shape": ()} if known.get("shape") is None else {}))


def named_variable(graph: Graph, weight: Weight, default: Any) -> torch.Tensor:
    """Return a layer's variable, whose name is made unique in the current name scope, as ``tf.Variable`` does.

    Args:
        graph: the pass.
        weight: what it shall be.
        default: its type when the weight names none.
    """
    shape = sizes(weight.shape)
    dtype = torch_dtype(default if weight.dtype is None else weight.dtype)
    trainable = weight.trainable is not False
    name = graph.unique_name(weight.name or "Variable")
    rule = constraint(weight.constraint)
    variable = graph.variable(name, shape, dtype, lambda: first(shape, dtype, weight.initializer), trainable, rule)
    collect_variable(graph, variable, None, trainable)
    return variable


def first(shape: list[int], dtype: torch.dtype, initializer: Any) -> torch.Tensor:
    """Return the first value of a layer's weight; the initializer may be a name or a config."""
    if isinstance(initializer, str | dict):
        from clara_compat.tensorflow.initializers import get

        initializer = get(initializer)
    return first_value(shape, dtype, initializer)
