"""A network as TorchScript."""

from __future__ import annotations

import io
import logging
import warnings

import torch
from monai.networks.utils import convert_to_torchscript

from clara_compat.engine.export.compare import Exported, difference
from clara_compat.engine.export.probe import Probe, at_one_size
from clara_compat.errors import ClaraError

__all__ = ["torchscript_file"]

logger = logging.getLogger("clara_compat")


def torchscript_file(network: torch.nn.Module, probed: Probe) -> Exported:
    """Return a network as TorchScript, compared with it.

    The network is scripted, which keeps its checks of the input's size; one that cannot be is traced.

    Args:
        network: in evaluation mode, on the CPU.
        probed: inputs to compare on.

    Raises:
        ClaraError: torch cannot write the network, or the file does not give what the network gives.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch prefers torch.export, whose files only Python reads
        try:
            scripted = _scripted(network)
        except Exception as error:  # noqa: BLE001 -- a user's network may be any Python, the compiler knows little of it
            logger.debug("%s is traced, as it cannot be scripted: %s", type(network).__name__, error)
        else:
            return _compared(scripted, probed)
        if probed.any_size:
            try:
                return _compared(_traced(network, probed), probed)
            except ClaraError:  # the size of the example is part of what was traced
                probed = at_one_size(network, probed)
        return _compared(_traced(network, probed), probed)


def _scripted(network: torch.nn.Module) -> bytes:
    stream = io.BytesIO()
    convert_to_torchscript(network, stream)
    return stream.getvalue()


def _traced(network: torch.nn.Module, probed: Probe) -> bytes:
    stream = io.BytesIO()
    try:
        convert_to_torchscript(network, stream, use_trace=True, inputs=(probed.inputs[1],))
    except RuntimeError as error:
        reason = str(error).strip().partition("\n")[0]
        raise ClaraError(f"torch cannot write {type(network).__name__} as TorchScript: {reason}") from error
    return stream.getvalue()


def _compared(content: bytes, probed: Probe) -> Exported:
    loaded = torch.jit.load(io.BytesIO(content), map_location="cpu").eval()
    return Exported(content, difference(loaded, probed, "TorchScript"), probed.any_size)
