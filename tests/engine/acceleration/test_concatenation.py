"""Joining images with their channels side by side."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clara_compat.engine.acceleration.kernels import FastKernels
from clara_compat.engine.acceleration.layouts import LAYOUTS
from clara_compat.engine.networks.unet import ClaraUNet

JOINS = [torch.cat, torch.concat, torch.concatenate]
OURS = "_Concatenation"


def images(channels, dtypes, spatial=(4, 3, 5)):
    generator = torch.Generator().manual_seed(1)
    layout = LAYOUTS[2 + len(spatial)]
    found = [torch.randn(2, one, *spatial, generator=generator) for one in channels]
    return [
        one.to(dtype).contiguous(memory_format=layout).requires_grad_()
        for one, dtype in zip(found, dtypes, strict=True)
    ]


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("spatial", [(4, 3, 5), (6, 5), (1, 1, 1)])
@pytest.mark.parametrize(
    ("channels", "dtypes"),
    [
        ((6, 1), [torch.bfloat16] * 2),
        ((1, 3, 2), [torch.float32] * 3),
        ((4, 1), [torch.bfloat16, torch.float32]),
        ((5,), [torch.bfloat16]),
    ],
)
def test_values_and_gradients(channels, dtypes, spatial, join):
    """Nothing is computed but moved: numpy's must be equal bit for bit."""
    given = images(channels, dtypes, spatial)
    with FastKernels():
        y = join(given, dim=1)
    assert OURS in type(y.grad_fn).__name__
    exact = np.concatenate([one.detach().float().numpy() for one in given], axis=1)
    assert y.dtype == (torch.float32 if torch.float32 in dtypes else torch.bfloat16)
    assert np.array_equal(y.detach().float().numpy(), exact)
    layout = LAYOUTS[y.ndim]
    assert y.is_contiguous(memory_format=layout)
    gradient = torch.randn(y.shape).to(y.dtype)
    first = 0
    for one, found in zip(given, torch.autograd.grad(y, given, gradient), strict=True):
        last = first + one.shape[1]
        assert found.dtype == one.dtype
        assert found.is_contiguous(memory_format=layout)
        assert torch.equal(found, gradient[:, first:last].to(one.dtype))
        first = last


def test_what_needs_no_gradient_gets_none():
    features, image = images((6, 1), [torch.bfloat16] * 2)
    image = image.detach()
    with FastKernels():
        torch.cat((features, image), -4).sum().backward()
    assert features.grad is not None
    assert image.grad is None


@pytest.mark.parametrize(
    ("change", "dim"),
    [
        (lambda one: one, 0),
        (lambda one: one, 2),
        (lambda one: one, -1),
        (lambda one: one.contiguous(), 1),
        (lambda one: one.double(), 1),
        (lambda one: one[:, :1], 1),
        (lambda one: one[:, :, 0, 0], 1),
    ],
    ids=["items", "depth", "last", "contiguous", "double", "one channel each", "matrices"],
)
def test_everything_else_is_torchs(change, dim):
    given = [change(one) for one in images((4, 4), [torch.float32] * 2)]
    with FastKernels():
        y = torch.cat(given, dim)
    assert OURS not in type(y.grad_fn).__name__
    assert torch.equal(y, torch.cat(given, dim))


@pytest.mark.parametrize(
    ("given", "match"), [([], "non-empty list"), ([torch.ones(1, 2, 3, 3), torch.ones(1, 2, 3)], "dimensions")]
)
def test_errors_are_torchs(given, match):
    with pytest.raises((RuntimeError, ValueError), match=match), FastKernels():
        torch.cat(given, 1)


def test_into_a_given_tensor():
    given = [one.detach() for one in images((2, 3), [torch.float32] * 2)]
    out = torch.empty(0)
    with FastKernels():
        torch.cat(given, 1, out=out)
    assert torch.equal(out, torch.cat(given, 1))


def test_the_image_joins_the_features_of_a_unet_in_their_precision():
    """Under autocast; the convolution after it rounds the image in any case, so that no value differs."""
    joined = []
    torch.manual_seed(0)
    network = ClaraUNet(3, 1, 2, (4,), (4, 4, 4))
    network.refine.register_forward_pre_hook(lambda _, given: joined.append(given[0]))
    image = torch.rand(1, 1, 8, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(image)
        features = joined[0]
        wide = torch.cat([features[:, :-1].float(), image], dim=1)
        expected = network.activation(network.head(network.refine(wide)))
    assert features.dtype == torch.bfloat16
    assert torch.equal(features[:, -1:], image.bfloat16())
    assert torch.equal(found, expected)
