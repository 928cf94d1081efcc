"""What of some weights a network takes: by name and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

__all__ = ["Match", "described", "match_weights", "shape_of", "tensorflow_names"]

_PARALLEL = "module."
"""What ``DataParallel`` puts in front of every name."""
_BUILT_IN = "parts.built_in_network."
"""What is in front of the names of a built-in's network in a user's model that derives from the built-in."""
_MOST = 20
"""Lines about tensors that are spelled out; the rest is counted."""


@dataclass(frozen=True)
class Match:
    """What of a file of weights a network takes.

    Args:
        taken: tensors that have the network's names and shapes.
        lines: for each other name why it is not taken over, in the order of the network, then of the file.
        of: how many tensors the network has.
        left: what else is in the file that no network needs, or that is of no account; a line each.
    """

    taken: Mapping[str, torch.Tensor]
    lines: list[str]
    of: int
    left: Sequence[str] = ()

    def report(self, source: str) -> list[str]:
        """Return the counts, and below them a line for each tensor that was not taken over.

        Args:
            source: where the weights come from, for the reader.
        """
        counts = f"weights of {source}: {len(self.taken)} of the network's {self.of} tensors are taken over"
        if self.lines:
            counts += ", the others keep their new weights:"
        return [counts, *_first(self.lines), *_first(self.left)]


def match_weights(weights: Mapping[str, torch.Tensor], network: torch.nn.Module) -> Match:
    """Compare a state dict with what a network has, by name and shape; nothing is changed.

    Names may begin with the ``module.`` of ``DataParallel``, be those of the built-in's network of which the user's
    model makes use, or be those that TensorFlow has for the variables of a network whose code was written for it.

    Args:
        weights: tensors by name.
        network: what they are compared with.
    """
    if weights and all(name.startswith(_PARALLEL) for name in weights):
        weights = {name.removeprefix(_PARALLEL): value for name, value in weights.items()}
    own = network.state_dict()
    inside = {name.removeprefix(_BUILT_IN): name for name in own if name.startswith(_BUILT_IN)}
    if not any(name in own for name in weights) and any(name in inside for name in weights):
        weights = {inside.get(name, name): value for name, value in weights.items()}
    tensors = {name: tensor for tensor, name in tensorflow_names(network).items()}
    by_tensorflow = not any(name in own for name in weights) and any(name in tensors for name in weights)
    if by_tensorflow:
        weights = {tensors.get(name, name): value for name, value in weights.items()}
    taken, lines = {}, []
    for name, value in own.items():
        found = weights.get(name)
        if found is None:
            lines.append(f"{name}: missing in the file")
        elif found.shape != value.shape:
            lines.append(f"{name}: {shape_of(found)} in the file, {shape_of(value)} in the network")
        else:
            taken[name] = found
    others = [f"{name}: not in the network" for name in weights if name not in own]
    if by_tensorflow:  # what a checkpoint of a whole graph was converted to
        return Match(taken, lines, len(own), others)
    return Match(taken, [*lines, *others], len(own))


def tensorflow_names(network: torch.nn.Module | None) -> dict[str, str]:
    """Return TensorFlow's name of each variable by the tensor's name in the state dict; none for a network of torch's.

    A network that runs code written for TensorFlow says them.

    Args:
        network: of this package, or an adapter around the user's own.
    """
    names = getattr(network, "tensorflow_names", None)
    return dict(names()) if callable(names) else {}


def described(weights: Mapping[str, torch.Tensor], network: str) -> str:
    """Return what some weights are: of what network, how many, and the first of them.

    Args:
        weights: tensors by name, at least one.
        network: its name in words; empty when it is not known.
    """
    name, value = next(iter(weights.items()))
    tensors = f"{len(weights)} tensors, the first {name} {shape_of(value)}"
    return f"{network} ({tensors})" if network else tensors


def shape_of(value: torch.Tensor) -> str:
    """Return a shape as it is written in messages.

    Args:
        value: a tensor or an array.
    """
    return f"({', '.join(map(str, value.shape))})"


def _first(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _MOST
    return [*(f"  {line}" for line in lines[:_MOST]), *([f"  ... and {more} more"] if more > 0 else [])]
