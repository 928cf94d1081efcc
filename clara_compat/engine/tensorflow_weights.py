"""Weights of a TensorFlow checkpoint for a network that runs code written for TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

from clara_compat.common.weight_files import prefix_of
from clara_compat.engine.matching import Match, tensorflow_names
from clara_compat.errors import ClaraError

__all__ = ["match_checkpoint", "name_of"]

_MOST = 3
"""Names that are given as examples."""


def match_checkpoint(index: str | Path, network: torch.nn.Module) -> Match:
    """Compare a TensorFlow checkpoint with a network by TensorFlow's names of the variables; nothing is changed.

    Args:
        index: the checkpoint's ``.index``.
        network: with a method ``tensorflow_names`` that returns TensorFlow's name of each tensor by the tensor's name
            in the state dict. These tensors have TensorFlow's order of axes.

    Raises:
        ClaraError: the checkpoint is damaged, a variable has another shape than the network's, nothing of it fits, or
            the network is not known by TensorFlow's names.
    """
    from clara_compat.tensorflow.checkpoint.matching import match_names, weights_of
    from clara_compat.tensorflow.checkpoint.reader import open_checkpoint

    checkpoint, own, names = open_checkpoint(prefix_of(index)), network.state_dict(), tensorflow_names(network)
    weights = weights_of(checkpoint)
    kind = name_of(network)
    if not weights:
        raise ClaraError(f"the TensorFlow checkpoint '{checkpoint.prefix}' holds no weights")
    if not names:
        raise ClaraError(
            f"the variables of the TensorFlow checkpoint '{checkpoint.prefix}' ({_examples(weights)}) have no known "
            f"place in {kind}, whose tensors are {_examples(own)}: write which is which as JSON, "
            '{"TensorFlow\'s name": "the network\'s"}, and name what '
            f"clara-compat weights convert {checkpoint.prefix} --map names.json -o weights.pt writes"
        )
    match = match_names(checkpoint, names, {name: own[name].shape for name in names})
    if not match.taken:
        raise ClaraError(
            f"nothing in the TensorFlow checkpoint '{checkpoint.prefix}' fits the network: its variables are "
            f"{_examples(weights)}, those of {kind} are {_examples(names.values())}; name the checkpoint of this model"
        )
    lines = [f"{name}: missing in the checkpoint" for name in match.missing]
    lines += [f"{name}: no variable of TensorFlow" for name in own if name not in names]
    left = [f"{name}: not in the network" for name in match.left]
    if match.of_training:
        left.append(f"{match.of_training} variables of the training (its optimizer, counters) are left out")
    taken = {tensor: torch.from_numpy(checkpoint.read(name)) for tensor, name in match.taken.items()}
    return Match(taken, lines, len(own), left)


def _examples(names: Iterable[str]) -> str:
    """Return the first names, and how many there are."""
    found = list(names)
    more = f", ... ({len(found)} in all)" if len(found) > _MOST else ""
    return ", ".join(found[:_MOST]) + more


def name_of(network: torch.nn.Module) -> str:
    """Return the class of a network, in words for its user: of an adapter around the user's own, the name of that.

    Args:
        network: the network.
    """
    name = getattr(network, "name", None)
    return name if isinstance(name, str) and name else type(network).__name__
