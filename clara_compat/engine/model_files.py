"""Networks out of files: weights for a network of ours, or a whole network as TorchScript."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from clara_compat.engine.weights import read_weights
from clara_compat.errors import ClaraError

__all__ = ["exported_network", "network_with_weights"]

_MOST = 3
"""Names that are spelled out."""


def network_with_weights(network: nn.Module, file: str | Path, device: torch.device | str) -> nn.Module:
    """Return the network with the weights of a file, on the device, ready for inference.

    Args:
        network: changed in place.
        file: a state dict or a checkpoint, read without running anything it holds.
        device: where to put the network.

    Raises:
        ClaraError: the file cannot be read, or its weights are those of another network.
    """
    weights = read_weights(file)
    own = network.state_dict()
    missing = [name for name in own if name not in weights]
    foreign = [name for name in weights if name not in own]
    others = [
        f"{name} {list(weights[name].shape)} for {list(own[name].shape)}"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    found = [
        f"{what} {_listed(names)}"
        for what, names in (("missing are", missing), ("unknown are", foreign), ("of another size are", others))
        if names
    ]
    if found:
        raise ClaraError(f"the weights in '{file}' are not those of {type(network).__name__}: {'; '.join(found)}")
    network.load_state_dict(weights)
    return network.to(device).eval()


def exported_network(file: str | Path, device: torch.device | str) -> nn.Module:
    """Return a TorchScript network on the device, ready for inference.

    TorchScript is a closed set of tensor operations: a file from a stranger runs those and no Python.

    Raises:
        ClaraError: the file is missing, damaged or something else.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*torch.jit.*")
            network = torch.jit.load(str(file), map_location=device)
    except (RuntimeError, ValueError, OSError) as error:
        raise ClaraError(f"'{file}' cannot be read as TorchScript: write it again with clara-compat export") from error
    return network.eval()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST])
    return shown + (f" and {len(names) - _MOST} more" if len(names) > _MOST else "")
