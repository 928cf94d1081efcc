"""Group normalisation of bfloat16 volumes whose channels lie side by side, with a fast backward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

__all__ = ["group_norm"]


def group_norm(
    input: torch.Tensor,  # noqa: A002 -- torch's name
    num_groups: int,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    eps: float = 1e-5,
) -> torch.Tensor:
    """Return what torch's ``group_norm`` does, with a backward pass of our own for such volumes on a CPU.

    torch's takes 57 ms for 16 channels of 64^3 voxels on one core, this one 8 ms, and torch's own for the usual layout
    2 ms: it was half of a training step of ``SegResnet``. Values and gradients are the same to the rounding of
    bfloat16, sums are in float32.

    Args:
        input: (N, C, ...).
        num_groups: of channels.
        weight: (C).
        bias: (C).
        eps: added to the variance.
    """
    ours = (
        weight is not None
        and bias is not None
        and type(input) is torch.Tensor
        and input.device.type == "cpu"
        and input.dtype == torch.bfloat16
        and weight.dtype == bias.dtype == torch.float32
        and input.ndim == 5
        and input.shape[1] > 1
        and input.is_contiguous(memory_format=torch.channels_last_3d)
        and torch.is_grad_enabled()
    )
    if not ours:
        return F.group_norm(input, num_groups, weight, bias, eps)
    found: torch.Tensor = _GroupNorm.apply(input, weight, bias, num_groups, eps)
    return found


class _GroupNorm(torch.autograd.Function):
    """Normalisation with x' = (x - mean) / deviation of the group, y = weight x' + bias.

    The gradient of x is ``(g - mean(g) - x' mean(g x')) / deviation`` with g = weight times the gradient of y, means
    over the voxels and channels of the group. Batch normalisation that takes its statistics as given has kernels for
    this layout: one makes the first term and the sums over voxels, another the rest, which is linear in x.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, groups: int, eps: float
    ) -> torch.Tensor:
        """Return the normalised x (N, C, D, H, W)."""
        items, channels = x.shape[:2]
        voxels = x[0, 0].numel()
        y, mean, scale = torch.native_group_norm(x, weight, bias, items, channels, voxels, groups, eps)
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.groups = groups
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients of x, weight and bias."""
        x, weight, means, scales = ctx.saved_tensors
        gradient = gradients[0].contiguous(memory_format=torch.channels_last_3d)
        groups, width = ctx.groups, x.shape[1] // ctx.groups
        count = width * x[0, 0].numel()
        found = torch.empty_like(x)
        of_weight, of_bias = torch.zeros_like(weight), torch.zeros_like(weight)
        for item in range(x.shape[0]):
            mean, scale = means[item].float(), scales[item].float()
            direct, products, sums = torch.ops.aten.native_batch_norm_backward(
                gradient[item : item + 1],
                x[item : item + 1],
                weight,
                mean.repeat_interleave(width),
                scale.square().reciprocal().repeat_interleave(width),
                None,
                None,
                False,
                0.0,
                (True, True, True),
            )
            of_weight += products
            of_bias += sums
            product, total = ((weight * one).view(groups, width).sum(dim=1) / count for one in (products, sums))
            slope = -product * scale.square()
            offset = -slope * mean - total * scale
            rest = _affine(x[item : item + 1], slope.repeat_interleave(width), offset.repeat_interleave(width))
            torch.add(direct, rest, out=found[item : item + 1])
        return found, of_weight, of_bias, None, None


def _affine(x: torch.Tensor, slope: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """Return ``slope * x + offset`` per channel, in one pass over x."""
    zeros, ones = torch.zeros_like(slope), torch.ones_like(slope)
    found: torch.Tensor = torch.native_batch_norm(x, slope, offset, zeros, ones, False, 0.0, 0.0)[0]
    return found
