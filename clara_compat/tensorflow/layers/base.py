"""The base of all layers: names, weights and calls as Keras in TensorFlow 1 has them.

Every pass is a new graph. A layer that outlives one, because it was made in a component's ``__init__``, counts as not
built in the next: it builds again and finds its weights by the same names. What it made in a pass is kept by the
graph, so that nothing of a step lives longer than it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch

from clara_compat.errors import suggestion
from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.graph import Graph, current, layer_names, running
from clara_compat.tensorflow.layers.arguments import flat, mapped, regularizer
from clara_compat.tensorflow.layers.contents import Contents
from clara_compat.tensorflow.layers.recording import is_recorded, record
from clara_compat.tensorflow.layers.spec import check
from clara_compat.tensorflow.layers.weights import Made, Weight, named_variable
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol
from clara_compat.tensorflow.shapes import shape_of

__all__ = ["Layer", "snake_case"]

_OPTIONS = frozenset(
    {
        *("input_shape", "batch_input_shape", "batch_size", "input_dim", "input_dtype", "weights"),
        *("activity_regularizer", "autocast", "implementation", "dynamic"),
    }
)
"""Keyword arguments that every layer takes."""


class _Signature(NamedTuple):
    inputs: str
    training: int | None
    takes_training: bool


@cache
def _signature(call: Callable[..., Any]) -> _Signature:
    parameters = list(inspect.signature(call).parameters.values())[1:]
    names = [one.name for one in parameters]
    keywords = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
    at = names.index("training") if "training" in names else None
    return _Signature(names[0] if names else "inputs", at, at is not None or keywords)


@cache
def snake_case(name: str) -> str:
    """Return the name of a class as Keras writes it in a layer's name: ``LeakyReLU`` is ``leaky_re_lu``."""
    between = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    found = re.sub("([a-z])([A-Z])", r"\1_\2", between).lower()
    return f"private{found}" if found.startswith("_") else found


@symbol("keras.layers.Layer", note="Masks are not provided.")
class Layer(Contents):
    """A layer; see Keras's.

    A component's layers are put back in the state after its ``__init__`` before every pass, like the component.

    Args:
        trainable: False takes its weights from ``trainable_weights``; as in TensorFlow 1 that alone does not keep
            them out of the collection of trainable variables.
        name: counted by class when it is None.
        dtype: of its weights; None: float32.
        **kwargs: ``activity_regularizer``, ``input_shape`` and what else every layer takes.
    """

    put_back_with_owner = True

    def __init__(self, trainable: bool = True, name: Any = None, dtype: Any = None, **kwargs: Any) -> None:
        if not kwargs.keys() <= _OPTIONS:
            unknown = sorted(kwargs.keys() - _OPTIONS)
            raise refusal(
                f"{type(self).__name__} has no argument '{unknown[0]}'{suggestion(unknown[0], _arguments(type(self)))}"
            )
        self._trainable = trainable
        self._dtype = dtype
        self._set_name(name)
        self.declared_shape = kwargs.get("batch_input_shape", kwargs.get("input_shape"))
        if "batch_input_shape" in kwargs:
            self.declared_shape = tuple(kwargs["batch_input_shape"])[1:]
        self.input_spec: Any = None
        self.supports_masking = False
        self.stateful = False
        self.activity_regularizer = regularizer(kwargs.get("activity_regularizer"))

    def _set_name(self, name: Any) -> None:
        self._name = name or self._counted_name(1)

    def _counted_name(self, start: int) -> str:
        counts, base = layer_names().layers, snake_case(type(self).__name__)
        number = counts.get(base, 0) + start
        counts[base] = counts.get(base, 0) + 1
        return base if number == 1 and start == 1 else f"{base}_{number - (start == 1)}"

    def made_in(self, graph: Graph) -> Made:
        """Return what the layer has made in a pass."""
        made: Made | None = graph.layers.get(id(self))
        if made is None:
            made = graph.layers[id(self)] = Made(self)
        return made

    def build(self, input_shape: Any) -> None:
        """Make the weights; a subclass overrides it."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs; a subclass overrides it."""
        return inputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Build the layer when it is not, and return what :meth:`call` returns."""
        name = vars(self).get("_name")
        if name is None:
            raise refusal(f"{type(self).__name__}.__init__ does not call super().__init__()")
        graph = current(f"a call of the layer '{name}'")
        if graph.recorded and is_recorded(graph, args, kwargs):
            return record(graph, self, args, kwargs)
        if args:
            inputs, args = args[0], args[1:]
        else:
            first = _signature(type(self).call).inputs
            if first not in kwargs:
                raise refusal(f"layer '{self.name}' is called without its argument '{first}'")
            inputs = kwargs.pop(first)
        if not isinstance(inputs, torch.Tensor):
            inputs = mapped(lambda one: as_tensor(one) if isinstance(one, np.ndarray | float | int) else one, inputs)
        return self._run(graph, inputs, args, kwargs)

    def _run(self, graph: Graph, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        made = self.made_in(graph)
        with graph.named(self._name):
            return self._called(graph, made, inputs, args, kwargs)

    def _called(self, graph: Graph, made: Made, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Build and call the layer, its scopes being open."""
        spec = self.input_spec
        if spec is not None:
            check(spec, inputs, self._name)
        if not made.built:
            self.build(mapped(shape_of, inputs))
            made.built = True
            if self.input_spec is not spec:
                check(self.input_spec, inputs, self._name)
        before = graph.layer_training
        graph.layer_training = self._resolve_training(graph, args, kwargs)
        try:
            outputs = self.call(inputs, *args, **kwargs)
        finally:
            graph.layer_training = before
        if outputs is None:
            raise refusal(f"the call of layer '{self.name}' returned None, expected a tensor")
        if self.activity_regularizer is not None:
            for one in flat(outputs):
                self.add_loss(self.activity_regularizer(one) / one.shape[0])
        return outputs

    def _resolve_training(self, graph: Graph, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what ``training`` is in a call, the layer around and Keras's phase asked; put it into ``kwargs``."""
        signature = _signature(type(self).call)
        at = signature.training
        if at is not None and 0 < at <= len(args) and args[at - 1] is not None:
            return args[at - 1]
        value = kwargs.get("training")
        if value is None:
            value = graph.layer_training if graph.layer_training is not None else graph.learning_phase or None
            if value is not None and signature.takes_training and not (at is not None and 0 < at <= len(args)):
                kwargs["training"] = value
        elif not signature.takes_training:
            del kwargs["training"]
        return value

    def add_weight(self, *args: Any, **kwargs: Any) -> Any:
        """Make a weight: ``add_weight(name, shape, dtype, initializer, regularizer, trainable, constraint)``.

        Constraints are accepted and do nothing: in Keras its own optimizers apply them, and Clara uses others.
        """
        weight = Weight.of(args, kwargs)
        graph = current("a weight of a layer")
        made = self.made_in(graph)
        variable = self._variable(graph, made, weight)
        (made.others if weight.trainable is False else made.trainable).append(variable)
        return variable

    add_variable = add_weight

    def _variable(self, graph: Graph, made: Made, weight: Weight) -> torch.Tensor:
        variable = named_variable(graph, weight, self.dtype)
        penalty = regularizer(weight.regularizer)
        if penalty is not None:
            made.losses.append(lambda: penalty(variable))
        return variable

    @property
    def built(self) -> bool:
        """Whether the weights of this pass are there."""
        graph = running()
        return graph is not None and id(self) in graph.layers and graph.layers[id(self)].built

    @built.setter
    def built(self, value: bool) -> None:
        graph = running()
        if graph is not None:
            self.made_in(graph).built = value

    @property
    def name(self) -> str:
        """The layer's name, not made unique by the scopes it is called in."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def dtype(self) -> Any:
        """The type of its weights."""
        return "float32" if self._dtype is None else self._dtype

    @dtype.setter
    def dtype(self, value: Any) -> None:
        self._dtype = value

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that this package's part of the layer was made with."""
        config = {"name": self._name, "trainable": self.trainable, "dtype": self.dtype}
        for cls in reversed(type(self).__mro__):
            if cls.__module__.startswith("clara_compat.") and "__init__" in vars(cls):
                names = inspect.signature(vars(cls)["__init__"]).parameters.keys() & vars(self).keys()
                config |= {name: getattr(self, name) for name in names}
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer from what ``get_config`` of its class returns."""
        return cls(**config)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs; a subclass overrides it, and nothing here asks for it.

        Raises:
            ClaraError: it does not.
        """
        raise refusal(
            f"{type(self).__name__}.compute_output_shape is not provided: call the layer and look at the shape"
        )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask as it is."""
        return mask


def _arguments(cls: type) -> list[str]:
    known = set(_OPTIONS)
    for base in cls.__mro__:
        if "__init__" in vars(base):
            known |= set(inspect.signature(vars(base)["__init__"]).parameters)
    return sorted(known - {"self", "args", "kwargs"})
