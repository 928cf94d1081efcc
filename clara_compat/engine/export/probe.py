"""Inputs that a network takes, found by trying."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from clara_compat.errors import ClaraError

__all__ = ["Probe", "Size", "at_one_size", "probe"]

Size = tuple[int, ...]

_TRIED = (32, 16, 64, 48, 96, 128, 160, 192, 224, 256, 512)
"""Sizes of a cube, in voxels, in the order they are tried."""
_MOST = 2**25
"""Voxels of an input that is tried."""


@dataclass(frozen=True)
class Probe:
    """What is known of a network's inputs.

    Args:
        size: the spatial size it is meant for.
        inputs: tensors (N, C, spatial...) to compare its files with the network on: two numbers of items, and two
            spatial sizes where it takes several.
        outputs: what it makes of them.
        any_size: whether it takes several spatial sizes.
        network: that was tried.
    """

    size: Size
    inputs: list[torch.Tensor]
    outputs: list[torch.Tensor]
    any_size: bool
    network: torch.nn.Module

    def rounding(self) -> float:
        """Return how far the outputs are from those of the same network in double precision."""
        exact = copy.deepcopy(self.network).double()
        with torch.inference_mode():
            found = [exact(image.double()) for image in self.inputs]
        return max(float((a - b).abs().max()) for a, b in zip(found, self.outputs, strict=True))


def probe(network: torch.nn.Module, channels: int, dims: int, wanted: Size | None, hints: Sequence[Size] = ()) -> Probe:
    """Find inputs that a network takes.

    Args:
        network: in evaluation mode, on the CPU.
        channels: of its image.
        dims: its spatial dimensions.
        wanted: the spatial size it shall be used with.
        hints: sizes it may be meant for, best first.

    Raises:
        ClaraError: it does not take ``wanted``, or no size is found, or its output is no tensor of finite numbers.
    """
    attempt = _Attempt(network, channels)
    cubes = [(size,) * dims for size in _TRIED]
    if wanted is not None:
        attempt.outputs(1, wanted)
    size = wanted or next(filter(attempt.takes, [*hints, *cubes]), None)
    if size is None:
        raise ClaraError(
            "no input size is found that the network takes: say it with --trtis_input_shape (channels, then sizes)"
        )
    doubled = next(((one, _twice(one)) for one in cubes if attempt.takes(one) and attempt.takes(_twice(one))), None)
    cases = [(1, size), (2, size)] if doubled is None else [(1, doubled[0]), (2, doubled[1])]
    if doubled is not None and wanted is not None:
        cases.append((1, size))
    return attempt.probe(size, cases, any_size=doubled is not None)


def at_one_size(network: torch.nn.Module, probed: Probe) -> Probe:
    """Return inputs of the one spatial size that the network is meant for.

    Args:
        network: the network.
        probed: what is known of it.
    """
    attempt = _Attempt(network, probed.inputs[0].shape[1])
    return attempt.probe(probed.size, [(1, probed.size), (2, probed.size)], any_size=False)


class _NotFiniteError(ClaraError):
    """Another size would not help."""


class _Attempt:
    """Runs a network on random images; the same numbers for the same shape."""

    def __init__(self, network: torch.nn.Module, channels: int) -> None:
        self.network = network
        self.channels = channels

    def probe(self, size: Size, cases: list[tuple[int, Size]], *, any_size: bool) -> Probe:
        inputs = [self.image(number, one) for number, one in cases]
        return Probe(size, inputs, [self.outputs(number, one) for number, one in cases], any_size, self.network)

    def image(self, number: int, size: Size) -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.rand((number, self.channels, *size), generator=generator)

    def takes(self, size: Size) -> bool:
        if math.prod(size) > _MOST:
            return False
        try:
            self.outputs(1, size)
        except _NotFiniteError:
            raise
        except ClaraError:
            return False
        return True

    def outputs(self, number: int, size: Size) -> torch.Tensor:
        try:
            with torch.inference_mode():
                found = self.network(self.image(number, size))
        except (RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ClaraError(f"the network does not take an image of {list(size)} voxels: {reason}") from error
        if not isinstance(found, torch.Tensor):
            raise ClaraError(f"the network gives a {type(found).__name__}, expected one tensor: it cannot be exported")
        if not bool(found.isfinite().all()):
            raise _NotFiniteError(
                "the network gives values that are not finite for random images: its weights are broken"
            )
        return found.clone()


def _twice(size: Size) -> Size:
    return tuple(2 * one for one in size)
