"""Training that starts from the weights of an earlier one."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import torch

from clara_compat.common.weight_files import is_tensorflow
from clara_compat.engine.matching import Match, described, match_weights
from clara_compat.engine.tensorflow_weights import match_checkpoint
from clara_compat.engine.weights import read_weights
from clara_compat.errors import ClaraError

__all__ = ["load_into", "match_file"]

logger = logging.getLogger("clara_compat")


def load_into(network: torch.nn.Module, path: str | Path) -> torch.nn.Module:
    """Give a network the weights of a file, as far as names and shapes agree, and say what became of the others.

    A head for another number of classes keeps its new weights, which is what fine-tuning needs.

    Args:
        network: changed in place, on whatever device it is.
        path: a state dict, or a checkpoint that holds one, as :func:`read_weights` takes it; or the index of a
            TensorFlow checkpoint.

    Returns:
        The same network.

    Raises:
        ClaraError: the file cannot be read, or nothing of it fits.
    """
    match = match_file(path, network)
    network.load_state_dict(dict(match.taken), strict=False)
    for line in match.report(str(path)):
        logger.log(logging.WARNING if match.lines else logging.INFO, "%s", line)
    return network


def match_file(path: str | Path, network: torch.nn.Module) -> Match:
    """Compare the weights in a file with what a network has; nothing is changed.

    Args:
        path: a state dict, a checkpoint, or the index of TensorFlow's.
        network: what they are compared with.

    Raises:
        ClaraError: the file cannot be read, or nothing of it fits; of a TensorFlow checkpoint also when a variable has
            another shape than the network's, or the network is not known by TensorFlow's names.
    """
    if is_tensorflow(path):
        return match_checkpoint(path, network)
    weights = read_weights(path)
    match = match_weights(weights, network)
    if not any(value.ndim for value in match.taken.values()):  # counters of batches fit any network
        raise ClaraError(
            f"nothing in '{path}' fits the network: the file holds {described(weights, _network_beside(Path(path)))}, "
            f"the network is {described(network.state_dict(), type(network).__name__)}; name weights of the same kind "
            "of network, or leave them out"
        )
    return match


def _network_beside(path: Path) -> str:
    """Return the name of the network that the config beside a file of weights says; empty without one."""
    try:
        content = json.loads((path.parent / "configs" / "train.json").read_text(encoding="utf-8"))
        return str(content["network_def"]["_target_"]).rpartition(".")[2]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
