"""Networks out of files: weights for a network of ours, or a whole network as TorchScript."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from clara_compat.common.user_code_switch import check_allowed
from clara_compat.engine.fine_tuning import match_file
from clara_compat.engine.tensorflow_weights import name_of
from clara_compat.engine.weights import check_archive
from clara_compat.errors import ClaraError

__all__ = ["exported_network", "network_with_weights", "refusal"]

logger = logging.getLogger("clara_compat")

_REACHES_FILES = re.compile(rb"\b(save|from_file)\b")
"""The operators of TorchScript that open a file, as its code names them."""


def network_with_weights(network: nn.Module, file: str | Path, device: torch.device | str) -> nn.Module:
    """Return the network with the weights of a file, on the device, ready for inference.

    Args:
        network: changed in place.
        file: a state dict, a checkpoint, or the index of a TensorFlow checkpoint, read without running anything it
            holds.
        device: where to put the network.

    Raises:
        ClaraError: the file cannot be read, or its weights are those of another network.
    """
    match = match_file(file, network)
    if match.lines:
        more = f" and {len(match.lines) - 1} more" if match.lines[1:] else ""
        raise ClaraError(f"the weights in '{file}' are not those of the {name_of(network)}: {match.lines[0]}{more}")
    for line in match.left:
        logger.info("weights of %s: %s", file, line)
    network.load_state_dict(dict(match.taken))
    return network.to(device).eval()


def exported_network(file: str | Path, device: torch.device | str) -> nn.Module:
    """Return a TorchScript network on the device, ready for inference.

    TorchScript runs tensor operations and no Python, but two of them reach files, and some of it runs while a file is
    loaded: a file from a stranger that names one of the two is refused before.

    Args:
        file: the TorchScript.
        device: where to put the network.

    Raises:
        ClaraError: the file is missing, damaged, something else, or would reach other files; or such programs are
            switched off.
    """
    check_allowed(f"the TorchScript '{file}'")
    try:
        check_archive(file)
        if any(map(_REACHES_FILES.search, _code(str(file)))):
            raise ClaraError(f"'{file}' reads or writes files when it runs, which no network needs: it is not loaded")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*torch.jit.*")
            network = torch.jit.load(str(file), map_location=device)
    except (RuntimeError, ValueError, OSError) as error:
        raise ClaraError(f"'{file}' cannot be read as TorchScript: write it again with clara-compat export") from error
    return network.eval()


def refusal(error: Exception) -> str:
    """Return why an exported network did not take its input; nothing for errors from elsewhere and of memory.

    Args:
        error: what torch raised, which has the whole way through the network's code before the reason.
    """
    told = str(error).strip()
    if "TorchScript interpreter" not in told or "allocate memory" in told or "out of memory" in told:
        return ""
    return re.sub(r"^(builtins\.)?\w+: ", "", told.rpartition("\n")[2])


def _code(file: str) -> Iterator[bytes]:
    """Yield the code in a TorchScript file, as the loader will find it.

    The loader's own reader is asked: others understand odd archives otherwise, and it takes the case of a record's name
    for nothing.

    Raises:
        RuntimeError: the file is none of the loader's, or of before torch 1.5, which kept code in records of any name.
    """
    archive = torch._C.PyTorchFileReader(file)  # noqa: SLF001 - torch.load reads with it
    names = archive.get_all_records()
    if any(name.lower() == "model.json" for name in names):
        raise RuntimeError("a layout of before torch 1.5")
    for name in names:
        if name.lower().endswith(".py"):
            yield archive.get_record(name)
