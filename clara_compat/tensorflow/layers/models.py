"""``keras.Model`` and ``keras.Sequential``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clara_compat.errors import suggestion
from clara_compat.tensorflow.graph import current, running
from clara_compat.tensorflow.layers.arguments import flat
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.contents import Contents
from clara_compat.tensorflow.layers.inputs import Input, InputLayer
from clara_compat.tensorflow.layers.recording import Node, between
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["Model", "Sequential"]


@symbol(
    "keras.Model",
    "keras.models.Model",
    "keras.layers.Model",
    note="compile, fit and predict are not provided: Clara trains.",
)
class Model(Layer):
    """Layers as one layer: a subclass with a ``call``, or what leads from inputs to outputs.

    Args:
        inputs: what ``keras.Input`` made, one or several.
        outputs: what layers made of them.
        name: counted by class when it is None.
        **kwargs: what every layer takes.

    Raises:
        ClaraError: the outputs do not come from the inputs by layers.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(("inputs", "outputs", "name"), args, strict=False)) | kwargs
        inputs = given.pop("inputs", given.pop("input", None))
        outputs = given.pop("outputs", given.pop("output", None))
        super().__init__(**given)
        self._ends: tuple[Any, Any] | None = None
        if outputs is not None:
            inputs, outputs = (one[0] if isinstance(one, list) and len(one) == 1 else one for one in (inputs, outputs))
            self._ends = inputs, outputs
            self._nodes = between(list(flat(inputs)), list(flat(outputs)))
            recorded = current("a keras Model").recorded
            self._given = [recorded[id(one)].given if id(one) in recorded else None for one in flat(inputs)]

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return what the layers make of other inputs; a subclass overrides it."""
        if self._ends is None:
            raise refusal(f"model '{self.name}' has neither a call nor outputs")
        before, now = list(flat(self._ends[0])), list(flat(inputs))
        if len(before) != len(now):
            raise refusal(f"model '{self.name}' has {len(before)} inputs but got {len(now)}")
        for one, other in zip(before, now, strict=True):
            if one.ndim != other.ndim:
                raise refusal(f"model '{self.name}' is for {list(one.shape)} but got the shape {list(other.shape)}")
        outputs = self._ends[1]
        again = zip(before, now, self._given, strict=True)
        if training is None and all(
            given is not None and (other is one or other is given) for one, other, given in again
        ):
            return outputs  # they are there already
        values: dict[int, Any] = {id(one): other for one, other in zip(before, now, strict=True)}
        for node in self._nodes:
            node.again(values)
        found = [values[id(one)] for one in flat(outputs)]
        return type(outputs)(found) if isinstance(outputs, list | tuple) else found[0]

    def inner_layers(self) -> list[Contents]:
        """Return the layers in this one, not those in them."""
        return [
            *super().inner_layers(),
            *(node.function for node in self._recorded if isinstance(node.function, Layer)),
        ]

    @property
    def _recorded(self) -> list[Node]:
        return self._nodes if vars(self).get("_ends") is not None else []

    @property
    def layers(self) -> list[Any]:
        """The layers, in the order they were called or set."""
        return list({id(one): one for one in self.inner_layers()}.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return a layer by its name or number.

        Raises:
            ClaraError: there is none.
        """
        layers = self.layers
        if index is not None and -len(layers) <= index < len(layers):
            return layers[index]
        found = [one for one in layers if one.name == name]
        if not found:
            raise refusal(
                f"model '{self.name}' has no layer '{name if index is None else index}'"
                f"{suggestion(str(name), [one.name for one in layers])}"
            )
        return found[0]

    @property
    def inputs(self) -> list[Any]:
        """What ``keras.Input`` made."""
        return [] if self._ends is None else list(flat(self._ends[0]))

    @property
    def outputs(self) -> list[Any]:
        """What the layers made of it."""
        return [] if self._ends is None else list(flat(self._ends[1]))

    @property
    def input(self) -> Any:
        """The input, or the list of them."""
        return super().input if self._ends is None else self._ends[0]

    @property
    def output(self) -> Any:
        """The output, or the list of them."""
        return super().output if self._ends is None else self._ends[1]

    def summary(self, line_length: Any = None, positions: Any = None, print_fn: Any = None) -> None:
        """Tell ``print_fn`` the layers with their numbers of weights; without one say nothing."""
        if callable(print_fn):
            print_fn(f"Model: {self.name}")
            for layer in self.layers:
                print_fn(f"{layer.name} ({type(layer).__name__}): {layer.count_params()}")
            print_fn(f"Total params: {self.count_params()}")


@symbol("keras.Sequential", "keras.models.Sequential")
class Sequential(Model):
    """Layers one behind the other.

    Args:
        layers: the layers.
        name: counted by class when it is None.
    """

    def __init__(self, layers: Sequence[Any] | None = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self._stack: list[Layer] = []
        self._shape: Any = None
        self._standing: Any = None
        for layer in layers or []:
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Put a layer behind; the first may say the shape of its input, which builds the model at once.

        Raises:
            ClaraError: it is no layer.
        """
        if not isinstance(layer, Layer):
            raise refusal(f"Sequential '{self.name}' got a {type(layer).__name__}, expected a layer of Keras")
        if not self._stack:
            self._shape = layer.declared_shape
        self._stack.append(layer)
        if self._shape is not None and running() is not None:
            self._standing = layer(Input(self._shape) if self._standing is None else self._standing)

    def pop(self) -> None:
        """Take the last layer away."""
        self._stack.pop()

    def build(self, input_shape: Any) -> None:
        """Make the weights outside of the model's own name scope, when the shape of its input was said."""
        self.built = True
        if self._shape is None or self._standing is not None:
            return
        with current("a Sequential").named(None):
            standing = Input(self._shape)
            for layer in self._stack:
                standing = layer(standing)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return what the last layer returns."""
        for layer in self._stack:
            inputs = layer(inputs)
        return inputs

    def inner_layers(self) -> list[Contents]:
        """Return the layers in this one, not those in them."""
        return [one for one in self._stack if not isinstance(one, InputLayer)]
