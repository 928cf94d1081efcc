"""Networks out of files: weights for a network of ours, or a whole network as TorchScript."""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path

import torch
from torch import nn

from clara_compat.engine.fine_tuning import match_file
from clara_compat.errors import ClaraError

__all__ = ["exported_network", "network_with_weights"]


_REACHES_FILES = re.compile(rb"\b(save|from_file)\b")
"""The operators of TorchScript that open a file, as its code names them."""


def network_with_weights(network: nn.Module, file: str | Path, device: torch.device | str) -> nn.Module:
    """Return the network with the weights of a file, on the device, ready for inference.

    Args:
        network: changed in place.
        file: a state dict or a checkpoint, read without running anything it holds.
        device: where to put the network.

    Raises:
        ClaraError: the file cannot be read, or its weights are those of another network.
    """
    match = match_file(file, network)
    if match.lines:
        more = f" and {len(match.lines) - 1} more" if match.lines[1:] else ""
        raise ClaraError(
            f"the weights in '{file}' are not those of the {type(network).__name__}: {match.lines[0]}{more}"
        )
    network.load_state_dict(dict(match.taken))
    return network.to(device).eval()


def exported_network(file: str | Path, device: torch.device | str) -> nn.Module:
    """Return a TorchScript network on the device, ready for inference.

    TorchScript runs tensor operations and no Python, but two of them reach files, and some of it runs while a file is
    loaded: a file from a stranger that names one of the two is refused before.

    Raises:
        ClaraError: the file is missing, damaged, something else, or would reach other files.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            code = b"\n".join(archive.read(name) for name in archive.namelist() if name.endswith(".py"))
        if _REACHES_FILES.search(code):
            raise ClaraError(f"'{file}' reads or writes files when it runs, which no network needs: it is not loaded")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*torch.jit.*")
            network = torch.jit.load(str(file), map_location=device)
    except (RuntimeError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ClaraError(f"'{file}' cannot be read as TorchScript: write it again with clara-compat export") from error
    return network.eval()
