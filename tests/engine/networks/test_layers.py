"""TensorFlow's padding and group normalisation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import signal

from clara_compat.engine.networks.layers import check_groups, norm_activation, norm_for, same_convolution


@pytest.mark.parametrize(
    ("norm", "channels", "expected"),
    [
        (None, 4, None),
        ("batch", 4, "batch"),
        (["group", {"num_groups": 8}], 16, ("group", {"num_groups": 8})),
        (["group", {"num_groups": 8}], 2, ("group", {"num_groups": 2})),
        (["instance", {"affine": True}], 2, ("instance", {"affine": True})),
        (["instance"], 2, ("instance",)),
    ],
)
def test_norm(norm, channels, expected):
    assert norm_for(norm, channels) == expected


@pytest.mark.parametrize(
    ("norm", "channels", "message"),
    [
        (("group", {"num_groups": 8}), (8, 12, 20), "divisible by 8 but the network has 12, 20"),
        (["group", {"num_groups": 0}], (8,), "group normalisation with 0 groups"),
    ],
)
def test_uneven_groups(norm, channels, message):
    with pytest.raises(ValueError, match=message):
        check_groups(norm, channels)


@pytest.mark.parametrize("norm", [None, "batch", ("group", {"num_groups": 8}), ("instance",)])
def test_even_groups(norm):
    check_groups(norm, (2, 8, 64))


def test_group_normalisation_by_hand():
    features = torch.randn(2, 6, 5, 4, dtype=torch.float64)
    [norm, _] = norm_activation(2, 6, ("group", {"num_groups": 3}))
    grouped = features.numpy().reshape(2, 3, -1)
    expected = (grouped - grouped.mean(-1, keepdims=True)) / np.sqrt(grouped.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(norm.double()(features).detach().numpy().reshape(2, 3, -1), expected, atol=1e-9)


@pytest.mark.parametrize("norm", [None, "batch"])
def test_the_input_is_left_alone(norm):
    features = torch.randn(2, 4, 5, 5)
    kept = features.clone()
    out = torch.nn.Sequential(*norm_activation(2, 4, norm))(features)
    assert torch.equal(features, kept)
    assert out.min() == 0


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(9, 3, 1), (8, 3, 2), (8, 5, 1), (12, 5, 4), (8, 1, 1), (8, 2, 2)]
)
def test_same_padding(size, kernel, stride):
    layer = same_convolution(2, 1, 1, kernel, stride).double()
    *_, weight, bias = layer.parameters()
    image = torch.randn(1, 1, size, size, dtype=torch.float64)
    total = max((size // stride - 1) * stride + kernel - size, 0)  # TensorFlow's documented formula
    padded = np.pad(image[0, 0].numpy(), [(total // 2, total - total // 2)] * 2)
    expected = signal.correlate(padded, weight[0, 0].detach().numpy(), mode="valid")[::stride, ::stride] + bias.item()
    np.testing.assert_allclose(layer(image)[0, 0].detach().numpy(), expected, atol=1e-12)
