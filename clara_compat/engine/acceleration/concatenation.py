"""Joining images whose channels lie side by side along their channels."""

from __future__ import annotations

from functools import reduce
from typing import Any

import torch

from clara_compat.engine.acceleration.layouts import LAYOUTS

__all__ = ["concatenation"]

_KINDS = (torch.bfloat16, torch.float32)


def concatenation(tensors: list[torch.Tensor] | tuple[torch.Tensor, ...], dim: int = 0, **others: Any) -> torch.Tensor:
    """Return what ``torch.cat`` does, faster for such images on a CPU.

    torch's needs 77 ms for 64 features and an image of one channel at 64^3 voxels in bfloat16 on one core, as it goes
    through the image in the order of the other layout; with the channels as the last axis it moves whole rows, 4 ms.
    It was two fifths of a training step of ``Unet``. No value changes, and the result is laid out as torch's is.

    Args:
        tensors: (N, C, spatial...) each, or anything that ``torch.cat`` takes.
        dim: along which they are joined.
        others: passed on.
    """
    if others or not _are_ours(tensors) or dim not in (1, 1 - tensors[0].ndim):
        return torch.cat(tensors, dim, **others)
    widest = reduce(torch.promote_types, (one.dtype for one in tensors))  # as torch's, and as autocast's
    found: torch.Tensor = _Concatenation.apply(*(one.to(widest) for one in tensors))
    return found


class _Concatenation(torch.autograd.Function):
    """The pieces of the gradient are laid out as the images were; in place they would fit no fast kernel."""

    @staticmethod
    def forward(ctx: Any, *tensors: torch.Tensor) -> torch.Tensor:
        """Return the tensors (N, C, spatial...) joined along C."""
        ctx.widths = [one.shape[1] for one in tensors]
        return torch.cat([one.movedim(1, -1) for one in tensors], dim=-1).movedim(-1, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradient of each tensor, None for those that need none."""
        layout = LAYOUTS[gradients[0].ndim]
        return tuple(
            piece.contiguous(memory_format=layout) if needed else None
            for piece, needed in zip(gradients[0].split(ctx.widths, dim=1), ctx.needs_input_grad, strict=True)
        )


def _are_ours(tensors: Any) -> bool:
    """Tell whether these are images with their channels side by side, at least one of which has several channels."""
    return (
        isinstance(tensors, (list, tuple))
        and len(tensors) > 0
        and all(_is_ours(one) for one in tensors)
        and len({one.ndim for one in tensors}) == 1
        and any(one.shape[1] > 1 for one in tensors)
    )


def _is_ours(one: Any) -> bool:
    return (
        type(one) is torch.Tensor
        and one.device.type == "cpu"
        and one.dtype in _KINDS
        and one.ndim in LAYOUTS
        and one.is_contiguous(memory_format=LAYOUTS[one.ndim])
    )
