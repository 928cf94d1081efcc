"""TensorFlow's first weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from clara_compat.engine.networks.initialisation import tensorflow_initialisation_
from clara_compat.engine.networks.segresnet import ClaraSegResNet
from clara_compat.engine.networks.unet import ClaraUNet

# layer, TensorFlow's kernel shape (kernel..., in, out), transposed ones (kernel..., out, in)
LAYERS = [
    (nn.Conv3d(32, 48, 3), (3, 3, 3, 32, 48)),
    (nn.Conv2d(40, 16, (1, 5)), (1, 5, 40, 16)),
    (nn.Conv3d(1, 32, 3), (3, 3, 3, 1, 32)),
    (nn.ConvTranspose3d(24, 40, 2), (2, 2, 2, 40, 24)),
    (nn.Linear(300, 200), (300, 200)),
]


def glorot_limit(shape: tuple[int, ...]) -> float:
    """The formula of ``tf.glorot_uniform_initializer`` on TensorFlow's kernel shape."""
    receptive = math.prod(shape[:-2])
    return math.sqrt(6.0 / (shape[-2] * receptive + shape[-1] * receptive))


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: type(value).__name__)
def test_law(layer, shape):
    torch.manual_seed(0)
    assert tensorflow_initialisation_(layer) is layer
    weights, limit = layer.weight.detach().numpy().ravel(), glorot_limit(shape)
    assert weights.size == math.prod(shape)
    assert np.abs(weights).max() <= limit
    assert stats.kstest(weights, stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-3
    assert not layer.bias.any()


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: type(value).__name__)
def test_he_normal_law(layer, shape):
    """``tf.keras.initializers.he_normal``: variance 2 / fan_in of a normal law cut off at two deviations."""
    torch.manual_seed(0)
    tensorflow_initialisation_(layer, "he_normal")
    weights = layer.weight.detach().numpy().ravel()
    deviation = math.sqrt(2.0 / (math.prod(shape[:-2]) * shape[-2]))
    uncut = deviation / stats.truncnorm(-2, 2).std()
    assert np.abs(weights).max() <= 2 * uncut
    assert stats.kstest(weights, stats.truncnorm(-2, 2, scale=uncut).cdf).pvalue > 1e-3
    assert weights.std() == pytest.approx(deviation, rel=0.05)
    assert not layer.bias.any()


def test_the_segresnet_starts_so():
    torch.manual_seed(1)
    kernel = ClaraSegResNet(3, 1, 2, 8).down[3][1].layers[2].weight.detach().numpy()
    assert kernel.shape == (64, 64, 3, 3, 3)
    assert kernel.std() == pytest.approx(math.sqrt(2 / (64 * 27)), rel=0.01)


def test_the_unet_starts_so():
    torch.manual_seed(1)
    network = ClaraUNet(3, 1, 2)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv3d)]
    assert len(convolutions) == 12
    for convolution in convolutions:
        kernel = convolution.weight.detach()
        limit = glorot_limit((*kernel.shape[2:], kernel.shape[1], kernel.shape[0]))
        assert 0.9 * limit < kernel.abs().max() <= limit
        assert not convolution.bias.any()


def test_normalisation_is_left_alone():
    layer = nn.BatchNorm3d(4)
    tensorflow_initialisation_(layer)
    assert layer.weight.eq(1).all()
    assert layer.bias.eq(0).all()
