"""Training that starts from the weights of an earlier one."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from clara_compat.engine.weights import read_weights
from clara_compat.errors import ClaraError

__all__ = ["Match", "load_into", "match_file", "match_weights"]

logger = logging.getLogger("clara_compat")

_PARALLEL = "module."
"""What ``DataParallel`` puts in front of every name."""
_MOST = 20
"""Lines about tensors that are spelled out; the rest is counted."""


@dataclass(frozen=True)
class Match:
    """What of a file of weights a network takes.

    Args:
        taken: tensors that have the network's names and shapes.
        lines: for each other name why it is not taken over, in the order of the network, then of the file.
        of: how many tensors the network has.
    """

    taken: Mapping[str, torch.Tensor]
    lines: list[str]
    of: int

    def report(self, source: str) -> list[str]:
        """Return the counts, and below them a line for each tensor that was not taken over.

        Args:
            source: where the weights come from, for the reader.
        """
        counts = f"weights of {source}: {len(self.taken)} of the network's {self.of} tensors are taken over"
        if not self.lines:
            return [counts]
        shown = [f"  {line}" for line in self.lines[:_MOST]]
        more = len(self.lines) - _MOST
        return [
            f"{counts}, the others keep their new weights:",
            *shown,
            *([f"  ... and {more} more"] if more > 0 else []),
        ]


def match_weights(weights: Mapping[str, torch.Tensor], network: torch.nn.Module) -> Match:
    """Compare a state dict with what a network has, by name and shape; nothing is changed.

    Names may begin with the ``module.`` of ``DataParallel``.
    """
    if weights and all(name.startswith(_PARALLEL) for name in weights):
        weights = {name.removeprefix(_PARALLEL): value for name, value in weights.items()}
    own = network.state_dict()
    taken, lines = {}, []
    for name, value in own.items():
        found = weights.get(name)
        if found is None:
            lines.append(f"{name}: missing in the file")
        elif found.shape != value.shape:
            lines.append(f"{name}: {_shape(found)} in the file, {_shape(value)} in the network")
        else:
            taken[name] = found
    lines += [f"{name}: not in the network" for name in weights if name not in own]
    return Match(taken, lines, len(own))


def load_into(network: torch.nn.Module, path: str | Path) -> torch.nn.Module:
    """Give a network the weights of a file, as far as names and shapes agree, and say what became of the others.

    A head for another number of classes keeps its new weights, which is what fine-tuning needs.

    Args:
        network: changed in place, on whatever device it is.
        path: a state dict or a checkpoint that holds one, as :func:`read_weights` takes it.

    Returns:
        The same network.

    Raises:
        ClaraError: the file cannot be read, or nothing of it fits.
    """
    match = match_file(path, network)
    network.load_state_dict(dict(match.taken), strict=False)
    first, *others = match.report(str(path))
    logger.log(logging.WARNING if others else logging.INFO, "%s", first)
    for line in others:
        logger.warning("%s", line)
    return network


def match_file(path: str | Path, network: torch.nn.Module) -> Match:
    """Compare the weights in a file with what a network has; nothing is changed.

    Raises:
        ClaraError: the file cannot be read, or nothing of it fits.
    """
    weights = read_weights(path)
    match = match_weights(weights, network)
    if not any(value.ndim for value in match.taken.values()):  # counters of batches fit any network
        raise ClaraError(
            f"nothing in '{path}' fits the network: the file holds {_described(weights, _network_beside(Path(path)))}, "
            f"the network is {_described(network.state_dict(), type(network).__name__)}; name weights of the same kind "
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


def _described(weights: Mapping[str, torch.Tensor], network: str) -> str:
    name, value = next(iter(weights.items()))
    tensors = f"{len(weights)} tensors, the first {name} {_shape(value)}"
    return f"{network} ({tensors})" if network else tensors


def _shape(value: torch.Tensor) -> str:
    return f"({', '.join(map(str, value.shape))})"
