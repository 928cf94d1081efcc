"""The network of an earlier training with its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser

from clara_compat.engine.model_files import network_with_weights
from clara_compat.errors import ClaraError

__all__ = ["trained_network"]


def trained_network(network_def: dict[str, Any], weights: Path) -> torch.nn.Module:
    """Return a network with the weights of a file, on the CPU and in evaluation mode.

    Args:
        network_def: its bundle entry, which is run: only one that has been checked.
        weights: the file; it must hold every tensor of the network and no other.

    Raises:
        ClaraError: the network cannot be made, or the weights are not its own.
    """
    target = network_def.get("_target_")
    try:
        network = ConfigParser({"network_def": network_def}).get_parsed_content("network_def")
    except Exception as error:  # MONAI wraps whatever the constructor raises
        first: BaseException = error
        while first.__cause__ is not None:
            first = first.__cause__
        raise ClaraError(f"the network {target} of the training cannot be made: {first}") from error
    if not isinstance(network, torch.nn.Module):
        raise ClaraError(f"{target} is no network")
    return network_with_weights(network, weights, "cpu").requires_grad_(False)
