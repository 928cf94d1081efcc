"""Put levers on a training, and take them off."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.inferers import Inferer

from clara_compat.engine.acceleration.kernels import FastKernels
from clara_compat.engine.acceleration.layouts import LAYOUTS
from clara_compat.engine.inferers import AutocastInferer, native_bfloat16

__all__ = ["LeveredInferer", "align", "available", "candidates", "lay_out"]

logger = logging.getLogger("clara_compat")


def available(levers: Sequence[str], device: torch.device, inferer: Any) -> tuple[str, ...]:
    """Return those of ``levers`` that can do something.

    Args:
        levers: by their names.
        device: where the network computes.
        inferer: the trainer's: with ``use_amp`` it computes in bfloat16 already.
    """
    reduced = isinstance(inferer, AutocastInferer) and inferer.autocasts
    possible = {
        "bf16": native_bfloat16(device) and not reduced,
        "cudnn_benchmark": device.type == "cuda",
    }
    return tuple(lever for lever in levers if possible.get(lever, True))


def candidates(device: torch.device, inferer: Any) -> list[tuple[str, ...]]:
    """Return the combinations that a trial compares with plain computing, the simplest first.

    Args:
        device: where the network computes.
        inferer: the trainer's own.
    """
    free = available(("cudnn_benchmark",), device, inferer)
    combinations = [free, ("channels_last", *free)]
    if available(("bf16",), device, inferer):
        combinations += [("bf16", *free), ("bf16", "channels_last", *free)]
    return [one for one in combinations if one]


class LeveredInferer(Inferer):
    """Run another inferer with levers on.

    Args:
        inferer: the trainer's own.
        device: where the network computes.
        levers: by their names.
    """

    def __init__(self, inferer: Inferer, device: torch.device, levers: Sequence[str]) -> None:
        super().__init__()
        self.inner = AutocastInferer(inferer, device) if "bf16" in levers else inferer
        self.lays_out = "channels_last" in levers
        self.compiles = "compile" in levers
        self._compiled: tuple[Callable[..., Any], Callable[..., Any]] | None = None  # the network, and it compiled

    def __call__(self, inputs: torch.Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Infer as the inner inferer does.

        Args:
            inputs: (N, C, spatial...).
            network: computes a tensor, or several.
            args: passed on.
            kwargs: passed on.
        """
        if self.compiles:
            if self._compiled is None or self._compiled[0] is not network:
                self._compiled = network, torch.compile(network)
            network = self._compiled[1]
        if not self.lays_out:
            return self.inner(inputs, network, *args, **kwargs)
        layout = LAYOUTS.get(inputs.ndim)
        laid_out = inputs if layout is None else inputs.contiguous(memory_format=layout)
        if inputs.device.type != "cpu":
            return self.inner(laid_out, network, *args, **kwargs)
        with FastKernels():
            return self.inner(laid_out, network, *args, **kwargs)


def lay_out(network: torch.nn.Module, *, channels_last: bool) -> None:
    """Lay the kernels of convolutions out in memory; no value changes. Their optimiser must be aligned after it.

    Args:
        network: the network.
        channels_last: the channels innermost; otherwise torch's usual layout.
    """
    with torch.no_grad():
        for parameter in network.parameters():
            layout = LAYOUTS.get(parameter.ndim)
            if layout is not None:
                wanted = layout if channels_last else torch.contiguous_format
                parameter.data = parameter.data.contiguous(memory_format=wanted)
                if parameter.grad is not None:
                    parameter.grad = parameter.grad.contiguous(memory_format=wanted)


def align(optimizer: torch.optim.Optimizer) -> None:
    """Lay out what an optimiser keeps of each parameter as the parameter is laid out.

    torch's fused optimisers on a CPU walk through both in the order of memory: with another layout, as it comes from a
    checkpoint of a run that had one, they would pair the wrong values.

    Args:
        optimizer: whose state is laid out.
    """
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            state = optimizer.state.get(parameter, {})
            for name, value in state.items():
                if not isinstance(value, torch.Tensor) or value.shape != parameter.shape:
                    continue
                if value.stride() != parameter.stride():
                    like = torch.empty_like(parameter, dtype=value.dtype)
                    state[name] = like.detach().copy_(value)
