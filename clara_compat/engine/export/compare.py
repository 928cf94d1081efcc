"""How far an exported network is from the one it was made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from clara_compat.engine.export.probe import Probe
from clara_compat.errors import ClaraError

__all__ = ["TOLERANCE", "Exported", "difference"]

TOLERANCE = 1e-4
"""Largest difference of two values, for outputs within [-1, 1]; in proportion for larger ones."""
_ROUNDINGS = 4
"""How many times the network's own rounding passes too: large weights magnify the order in which numbers are added."""


@dataclass(frozen=True)
class Exported:
    """An exported network.

    Args:
        content: of its file.
        difference: the largest from the network.
        any_size: whether it takes several spatial sizes; it always takes any number of items.
    """

    content: bytes
    difference: float
    any_size: bool


def difference(
    run: Callable[[torch.Tensor], torch.Tensor], probed: Probe, kind: str, tolerance: float = TOLERANCE
) -> float:
    """Return the largest absolute difference between an exported network's outputs and the network's own.

    Args:
        run: the exported network.
        probed: inputs, and the network's outputs.
        kind: what it is, for the message: ``TorchScript``.
        tolerance: the largest that passes.

    Raises:
        ClaraError: the shapes differ, or a value differs by more.
    """
    largest = 0.0
    for image, expected in zip(probed.inputs, probed.outputs, strict=True):
        try:
            with torch.inference_mode():
                found = run(image)
        except Exception as error:  # what the libraries raise that run such files
            reason = str(error).strip().partition("\n")[0]
            raise ClaraError(f"the {kind} file does not take an input of {list(image.shape)}: {reason}") from error
        if found.shape != expected.shape:
            raise ClaraError(
                f"the {kind} file gives {list(found.shape)} for an input of {list(image.shape)}, the network "
                f"{list(expected.shape)}: it is not written"
            )
        apart = float((found.double() - expected.double()).abs().max())
        allowed = tolerance * max(1.0, float(expected.abs().max()))
        if apart > allowed:
            allowed = max(allowed, _ROUNDINGS * probed.rounding())
        if not apart <= allowed:  # also where one of them is not a number
            raise ClaraError(
                f"the {kind} file differs from the network by {apart:.2g} for an input of {list(image.shape)}, more "
                f"than {allowed:.2g}: it is not written"
            )
        largest = max(largest, apart)
    return largest
