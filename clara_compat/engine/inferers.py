"""Mixed precision for any of MONAI's inferers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from monai.inferers import Inferer

__all__ = ["AutocastInferer", "native_bfloat16"]

logger = logging.getLogger("clara_compat")


def native_bfloat16(device: torch.device | str) -> bool:
    """Tell whether ``device`` computes bfloat16 in hardware: NVIDIA from Ampere, CPUs with AVX-512 BF16 or AMX."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "cpu":  # torch has these questions without a public name; older ones lack them
        questions = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, question, bool)() for question in questions)
    return False


class AutocastInferer(Inferer):
    """Run the network of another inferer under bfloat16 autocast and hand float32 back.

    This is what ``use_amp`` becomes, in training (around ``SimpleInferer``) and in validation (around
    ``SlidingWindowInferer``, whose stitched volume stays float32). MONAI's ``SupervisedTrainer(amp=True)`` is not used:
    it always scales the loss with a ``GradScaler``, which bfloat16 does not need as it has the range of float32, and
    it autocasts for CUDA only, so that on a CPU it quietly computes in float32. Here the loss sees float32 too.

    Where the device has no bfloat16 in hardware everything stays in float32, and the log says so once.

    Args:
        inferer: the inferer to wrap.
        device: where the network computes.
        enabled: false makes this a plain pass-through.

    Example::

        inferer = AutocastInferer(SlidingWindowInferer(roi_size=(64, 64, 64), overlap=0.0), device="cuda:0")
    """

    def __init__(self, inferer: Inferer, device: torch.device | str, enabled: bool = True) -> None:
        super().__init__()
        self.inferer = inferer
        self.device = torch.device(device)
        self.autocasts = enabled and native_bfloat16(self.device)
        if enabled and not self.autocasts:
            _say_float32(self.device.type)

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Infer as the wrapped inferer does.

        Args:
            inputs: (N, C, spatial...).
            network: computes a tensor, or a tuple, list or dictionary of tensors.
            args: passed on to the network.
            kwargs: passed on to the inferer.

        Returns:
            What the wrapped inferer returns, in float32.
        """
        if not self.autocasts:
            return self.inferer(inputs, network, *args, **kwargs)

        def autocasting(*args: Any, **kwargs: Any) -> Any:
            with torch.autocast(self.device.type, dtype=torch.bfloat16):
                outputs = network(*args, **kwargs)
            return _widened(outputs)

        return self.inferer(inputs, autocasting, *args, **kwargs)


def _widened(outputs: Any) -> Any:
    """Return the outputs of a network with float32 in place of bfloat16."""
    if isinstance(outputs, torch.Tensor):
        return outputs.float() if outputs.dtype == torch.bfloat16 else outputs
    if isinstance(outputs, dict):
        return {key: _widened(value) for key, value in outputs.items()}
    if isinstance(outputs, (tuple, list)):
        return type(outputs)([_widened(value) for value in outputs])
    return outputs


@cache
def _say_float32(kind: str) -> None:
    """Log, once per kind of device, that mixed precision was asked for and cannot be had."""
    logger.warning("use_amp: this %s has no bfloat16 in hardware, so the network runs in float32", kind)
