"""Group normalisation of bfloat16 volumes with their channels side by side."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clara_compat.engine.acceleration.kernels import FastKernels

SHAPE = (2, 6, 4, 5, 3)


def reference(x, weight, bias, gradient, groups, eps):
    """Return y and the gradients of x, weight and bias, in float64."""
    items, channels = x.shape[:2]
    parts, by_part = x.reshape(items, groups, -1), (items, groups, -1)
    mean = parts.mean(axis=2, keepdims=True)
    deviation = np.sqrt(parts.var(axis=2, keepdims=True) + eps)
    normal = ((parts - mean) / deviation).reshape(x.shape)
    along = (1, channels, 1, 1, 1)
    inner = (gradient * weight.reshape(along)).reshape(by_part)
    flat = normal.reshape(by_part)
    rest = inner.mean(axis=2, keepdims=True) + flat * (inner * flat).mean(axis=2, keepdims=True)
    of_x = ((inner - rest) / deviation).reshape(x.shape)
    voxels = (0, 2, 3, 4)
    y = normal * weight.reshape(along) + bias.reshape(along)
    return y, of_x, (gradient * normal).sum(axis=voxels), gradient.sum(axis=voxels)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_values_and_gradients_are_those_of_float64(groups):
    generator = torch.Generator().manual_seed(groups)
    x, gradient = (torch.randn(SHAPE, generator=generator).bfloat16() for _ in range(2))
    x, gradient = (one.contiguous(memory_format=torch.channels_last_3d) for one in (2 * x + 1, gradient))
    weight, bias = torch.rand(6, generator=generator) + 0.5, torch.randn(6, generator=generator)
    given = [one.requires_grad_() for one in (x, weight, bias)]
    with FastKernels():
        y = torch.nn.functional.group_norm(x, groups, weight, bias, 1e-5)
    assert "_GroupNorm" in type(y.grad_fn).__name__
    found = [y.detach(), *torch.autograd.grad(y, given, gradient)]
    exact = reference(*(one.detach().double().numpy() for one in (x, weight, bias, gradient)), groups, 1e-5)
    for ours, theirs, dtype in zip(found, exact, [torch.bfloat16] * 2 + [torch.float32] * 2, strict=True):
        assert ours.dtype == dtype
        error = np.linalg.norm(ours.double().numpy() - theirs) / np.linalg.norm(theirs)
        assert error < (5e-3 if dtype == torch.bfloat16 else 1e-4)


@pytest.mark.parametrize("kind", ["float32", "contiguous", "no gradient", "no weight"])
def test_everything_else_is_torchs(kind):
    x = torch.randn(SHAPE).to(torch.float32 if kind == "float32" else torch.bfloat16)
    x = x if kind == "contiguous" else x.contiguous(memory_format=torch.channels_last_3d)
    weight, bias = (None, None) if kind == "no weight" else (torch.rand(6), torch.rand(6))
    x.requires_grad_(kind != "no gradient")
    with FastKernels(), torch.set_grad_enabled(kind != "no gradient"):
        y = torch.nn.functional.group_norm(x, 2, weight, bias)
    assert "_GroupNorm" not in type(y.grad_fn).__name__
    assert torch.equal(y, torch.nn.functional.group_norm(x, 2, weight, bias))
