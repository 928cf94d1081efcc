"""What a layer holds: the layers in it, its weights, losses and updates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch

from clara_compat.tensorflow.graph import Graph, current, running
from clara_compat.tensorflow.layers.arguments import flat
from clara_compat.tensorflow.layers.weights import Made
from clara_compat.tensorflow.place import refusal

__all__ = ["Contents"]


class Contents:
    """The part of a layer that answers what is in it. Layers in it are those on its attributes, in lists too."""

    name: str
    stateful: bool
    _trainable: bool

    def made_in(self, graph: Graph) -> Made:
        """Return what this layer has made in a pass."""
        raise NotImplementedError

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add scalars, or functions that return one, to :attr:`losses`."""
        graph = current("a loss of a layer")
        self.made_in(graph).losses.extend(one for one in flat(losses) if callable(one) or not graph.standing_in)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add changes of weights; functions among them are called when :attr:`updates` is read."""
        graph, found = current("an update of a layer"), list(flat(updates))
        graph.assignments.keep(found)
        self.made_in(graph).updates.extend(found)

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: Clara's metrics are components of their own."""

    @property
    def updates(self) -> list[Any]:
        """The changes of weights, done by being read, once: in Clara returning them from get_update_ops does them."""
        found: list[Any] = []
        for layer, made in self._all_made():
            if layer.trainable or layer.stateful:
                found += flat([one() if callable(one) else one for one in made.updates])
        return found

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """Return :attr:`updates`."""
        return self.updates

    @property
    def losses(self) -> list[Any]:
        """Penalties of this layer and those in it, computed now."""
        return [one() if callable(one) else one for _, made in self._all_made() for one in made.losses]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """Return :attr:`losses`."""
        return self.losses

    @property
    def trainable_weights(self) -> list[Any]:
        """Trainable weights of this layer and those in it; none when :attr:`trainable` is False."""
        return _unique(one for layer, made in self._all_made() if layer.trainable for one in made.trainable)

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other weights of this layer and those in it."""
        found = self._all_made()
        return _unique(
            one for layer, made in found for one in ([] if layer.trainable else made.trainable) + made.others
        )

    @property
    def weights(self) -> list[Any]:
        """All weights, the trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def _all_made(self) -> list[tuple[Contents, Made]]:
        graph = running()
        return [] if graph is None else [(layer, layer.made_in(graph)) for layer in self._with_inner_layers()]

    def _with_inner_layers(self) -> list[Contents]:
        found, waiting = {id(self): self}, [self]
        while waiting:
            for one in waiting.pop(0).inner_layers():
                if id(one) not in found:
                    found[id(one)] = one
                    waiting.append(one)
        return list(found.values())

    def inner_layers(self) -> list[Contents]:
        """Return the layers in this one, not those in them."""
        return [one for value in list(vars(self).values()) for one in _layers_in(value)]

    @property
    def trainable(self) -> bool:
        """Whether its weights are among ``trainable_weights``; set, it is so for the layers in it too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self._with_inner_layers():
            vars(layer)["_trainable"] = bool(value)

    def count_params(self) -> int:
        """Return how many numbers its weights have."""
        return sum(one.numel() for one in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Return the values of its weights."""
        return [one.detach().float().cpu().numpy().copy() for one in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Set the values of its weights, in the pass that builds the component; later they are what training made them.

        Raises:
            ClaraError: their number or shapes differ.
        """
        mine = self.weights
        got, expected = [list(np.shape(value)) for value in weights], [list(one.shape) for one in mine]
        if got != expected:
            raise refusal(f"set_weights of layer '{self.name}' got the shapes {got}, expected {expected}")
        if current("a weight").building:
            with torch.no_grad():
                for one, value in zip(mine, weights, strict=True):
                    one.copy_(torch.as_tensor(np.asarray(value)))

    @property
    def output(self) -> Any:
        """What the layer returned when it was called, once, on what comes from a ``keras.Input``."""
        return self._node("output").outputs

    @property
    def input(self) -> Any:
        """What the layer was called with, once, in what comes from a ``keras.Input``."""
        args = self._node("input").args
        return args[0] if args else None

    @property
    def output_shape(self) -> Any:
        """The shape of :attr:`output`."""
        return tuple(self.output.shape)

    @property
    def input_shape(self) -> Any:
        """The shape of :attr:`input`."""
        return tuple(self.input.shape)

    def _node(self, what: str) -> Any:
        graph = running()
        nodes = [] if graph is None else self.made_in(graph).nodes
        if len(nodes) != 1:
            raise refusal(
                f"layer '{self.name}' has no single {what}: it was called {len(nodes)} times on what comes from a "
                "keras Input"
            )
        return nodes[0]


def _layers_in(value: Any) -> Iterator[Contents]:
    if isinstance(value, Contents):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _layers_in(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _layers_in(one)


def _unique(tensors: Iterable[Any]) -> list[Any]:
    return list({id(one): one for one in tensors}.values())
