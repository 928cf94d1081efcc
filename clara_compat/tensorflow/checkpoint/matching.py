"""Which variables of a checkpoint are a network's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.checkpoint.reader import TensorFlowCheckpoint
from clara_compat.tensorflow.checkpoint.training import belongs_to_training

__all__ = ["NameMatch", "match_names", "weights_of"]


@dataclass(frozen=True)
class NameMatch:
    """What of a checkpoint a network takes.

    Args:
        taken: the variable's name by the tensor's name in the network's state dict.
        missing: variables of the network that the checkpoint does not have.
        left: variables of the checkpoint that the network does not have, without those of the training.
        of_training: how many variables are an optimizer's, counters or learning rates.
    """

    taken: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    of_training: int = 0


def match_names(
    checkpoint: TensorFlowCheckpoint, names: Mapping[str, str], shapes: Mapping[str, Sequence[int]]
) -> NameMatch:
    """Compare a checkpoint with a network by TensorFlow's names of the variables; no values are read.

    Args:
        checkpoint: the checkpoint.
        names: TensorFlow's name of each tensor of the network, by the tensor's name in its state dict.
        shapes: of the network's tensors, by the same names, in TensorFlow's order of axes.

    Raises:
        ClaraError: a variable has another shape than the network's tensor, or holds no numbers.
    """
    variables = checkpoint.variables
    taken, missing = {}, []
    for tensor, name in names.items():
        found = variables.get(name)
        if found is None:
            missing.append(name)
            continue
        shape = tuple(shapes[tensor])
        if found.storage is None or found.shape != shape:
            raise ClaraError(
                f"the variable '{name}' of '{checkpoint.prefix}' is {found.dtype} {_shape(found.shape)}, the network's "
                f"'{tensor}' is {_shape(shape)}: name the checkpoint of this network, or mend its arguments"
            )
        taken[tensor] = name
    own = set(names.values())
    others = [name for name in variables if name not in own]
    weights = weights_of(checkpoint)
    left = [name for name in others if name in weights]
    return NameMatch(taken, missing, left, len(others) - len(left))


def weights_of(checkpoint: TensorFlowCheckpoint) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a checkpoint's variables by their names, without those of the training and without texts."""
    variables = checkpoint.variables
    return {
        name: entry.shape
        for name, entry in variables.items()
        if entry.storage is not None and not belongs_to_training(name, variables)
    }


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(map(str, shape))})"
