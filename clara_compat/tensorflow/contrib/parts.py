"""What the functions of slim have in common: layouts, variables of a layer, and what follows a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch

from clara_compat.tensorflow.contrib.arg_scope import add_arg_scope
from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register
from clara_compat.tensorflow.scopes import GraphKeys, get_variable, regularize
from clara_compat.tensorflow.variable_scope import VariableScope

__all__ = [
    "Activation",
    "Collections",
    "LayerVariables",
    "Normalizer",
    "channels_first",
    "collected",
    "finished",
    "floating",
    "provided",
]

F = TypeVar("F", bound=Callable[..., Any])
Activation = Callable[[torch.Tensor], torch.Tensor] | None
Normalizer = Callable[..., torch.Tensor] | None
Collections = Sequence[str] | Mapping[str, Sequence[str]] | None
"""Collections of all variables of a layer, or of each by its name."""

_FORMATS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}


def provided(*names: str, note: str = "") -> Callable[[F], F]:
    """Decorate a function with its names in ``contrib.layers`` and ``contrib.slim``, open to ``arg_scope``."""

    def provide(function: F) -> F:
        found = add_arg_scope(function)
        for name in names:
            register(found, f"contrib.layers.{name}", f"contrib.slim.{name}", note=note)
        return found

    return provide


def channels_first(data_format: str | None, dims: int, *, loose: bool = False) -> bool:
    """Return whether ``data_format`` puts the channels in front; None does not.

    Args:
        data_format: such as ``NDHWC``.
        dims: number of spatial axes.
        loose: take the formats of other numbers of axes as well.

    Raises:
        ClaraError: it is no such format.
    """
    formats = [one for pair in _FORMATS.values() for one in pair] if loose else _FORMATS[dims]
    if data_format is not None and data_format not in formats:
        last, first = _FORMATS[dims]
        raise refusal(f"data_format is {data_format!r}, expected '{last}' or '{first}'")
    return data_format is not None and data_format.startswith("NC")


def floating(inputs: Any, *ranks: int) -> torch.Tensor:
    """Return the inputs of a layer as a tensor.

    Raises:
        ClaraError: it has none of the numbers of axes.
    """
    tensor = as_tensor(inputs)
    if ranks and tensor.ndim not in ranks:
        expected = " or ".join(map(str, ranks))
        raise refusal(f"expected a tensor of {expected} axes but got the shape {list(tensor.shape)}")
    return tensor


class LayerVariables:
    """Makes the variables of a layer, in the scope that is open.

    Args:
        dtype: their type.
        collections: where they are found besides the model's variables.
        trainable: whether optimizers change them.
    """

    def __init__(self, dtype: torch.dtype, collections: Collections, trainable: bool) -> None:
        self._dtype = dtype
        self._collections = collections
        self._trainable = trainable

    def __call__(
        self,
        name: str,
        shape: Sequence[int],
        initializer: Any,
        regularizer: Any = None,
        *,
        group: str = "",
        trainable: bool = True,
    ) -> torch.Tensor:
        """Return a variable.

        A penalty of its own comes in addition to that of the scope, and is counted once however often it is shared.

        Args:
            name: slim's: ``weights``.
            shape: in TensorFlow's layout.
            initializer: makes its first value.
            regularizer: its penalty.
            group: under which of the names of the layer's ``collections``; empty: its own.
            trainable: False: never, whatever holds for the layer.
        """
        graph = current("a layer")
        own = self._collections
        if isinstance(own, Mapping):
            own = own.get(group or name)
        there = f"{graph.scope.name}/{name}" in graph.names.made
        variable = get_variable(
            name,
            [int(size) for size in shape],
            self._dtype,
            initializer,
            trainable=self._trainable and trainable,
            collections=[*(own or ()), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES],
        )
        if not there:
            regularize(graph, variable, regularizer)
        return variable


def finished(
    outputs: torch.Tensor,
    scope: VariableScope,
    activation_fn: Activation,
    outputs_collections: str | Sequence[str] | None,
    normalizer_fn: Normalizer = None,
    normalizer_params: Mapping[str, Any] | None = None,
) -> torch.Tensor:
    """Return what a layer gives: normalised, activated, and collected."""
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collected(outputs_collections, scope.name, outputs)


def collected(collections: str | Sequence[str] | None, alias: str, outputs: torch.Tensor) -> torch.Tensor:
    """Put what a layer gives into collections, under a name, and return it."""
    if collections:
        outputs.__dict__.setdefault("aliases", []).append(alias.removesuffix("/"))
        for collection in [collections] if isinstance(collections, str) else collections:
            current("a collection").collect(collection, outputs)
    return outputs
