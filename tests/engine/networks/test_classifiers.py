"""Clara's Alexnet and DenseNet121."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from clara_compat.engine.networks.alexnet import ClaraAlexNet
from clara_compat.engine.networks.densenet import ClaraDenseNet121

FEATURES = (4, 8, 8, 12, 12, 10, 6)
NORM = ("group", {"num_groups": 4})


def kernels(dims: int, image: int, classes: int, features: tuple[int, ...]) -> int:
    """Elements of the kernels: convolutions of 11, 5, 3, 3 and 3 voxels, then dense layers."""
    edges = (11, 5, 3, 3, 3, 1, 1, 1)
    return sum(edge**dims * n * m for edge, n, m in zip(edges, (image, *features), (*features, classes), strict=True))


@pytest.mark.parametrize(
    ("numbers", "features", "norm", "count"),
    [
        ((2, 3, 2), (96, 256, 512, 1024, 1024, 3072, 4096), ("group", {"num_groups": 8}), 31_734_498),
        ((3, 1, 2), (96, 256, 512, 1024, 1024, 3072, 4096), ("group", {"num_groups": 8}), 64_955_874),
        ((2, 1, 3), FEATURES, None, 4_281),
        ((3, 2, 4), FEATURES, "batch", 23_168),
    ],
)
def test_number_of_parameters_of_alexnet(numbers, features, norm, count):
    found = sum(p.numel() for p in ClaraAlexNet(*numbers, features, norm=norm).parameters())
    each = 1 if norm is None else 2  # a bias, or scale and offset, for each feature of a convolution
    assert found == kernels(*numbers, features) + each * sum(features[:5]) + sum(features[5:]) + numbers[2]
    assert found == count


@pytest.mark.parametrize("mil", [False, True])
def test_dense_layers_of_alexnet_by_hand(mil):
    torch.manual_seed(0)
    network = ClaraAlexNet(2, 3, 2, FEATURES, mil=mil, norm=NORM, final_activation="linear").double().eval()
    for parameter in network.classifier.parameters():
        nn.init.uniform_(parameter, -1, 1)
    image = torch.rand(3, 3, 100, 70, dtype=torch.float64)
    features = network.features(image).detach().numpy()
    assert features.shape == (3, 12, 4, 3), "a stride of 4 and three poolings, rounded up"
    positions = features.reshape(3, 12, -1).transpose(0, 2, 1)  # (image, position, feature)
    if not mil:
        positions = positions.mean(axis=1, keepdims=True)
    for layer, last in zip((network.classifier[i] for i in (0, 3, 6)), (False, False, True), strict=True):
        weight = layer.weight.detach().numpy()[:, :, 0, 0]
        positions = positions @ weight.T + layer.bias.detach().numpy()
        positions = positions if last else np.maximum(positions, 0)
    np.testing.assert_allclose(network(image).detach().numpy(), positions.max(axis=1), atol=1e-12)


def test_dropout_of_alexnet_is_in_the_dense_layers():
    torch.manual_seed(0)
    network = ClaraAlexNet(2, 1, 2, FEATURES, norm=NORM, dropout_prob=0.5)
    image = torch.rand(2, 1, 40, 40)
    assert torch.equal(network.features(image), network.features(image))
    assert not torch.equal(network(image), network(image))
    assert torch.equal(network.eval()(image), network(image))
    network = ClaraAlexNet(2, 1, 2, FEATURES, norm=NORM, dropout_prob=0.0)
    assert torch.equal(network(image), network(image))


def test_number_of_parameters_of_densenet():
    """The paper's network (growth 32, four dense blocks) on colour pictures of 1000 classes has 7,978,856."""
    assert sum(p.numel() for p in ClaraDenseNet121(2, 3, 1000).parameters()) == 7_978_856
    three, one = (sum(p.numel() for p in ClaraDenseNet121(2, n, 5).parameters()) for n in (3, 1))
    assert three - one == 2 * 64 * 7 * 7


def test_dropout_of_densenet():
    torch.manual_seed(0)
    network = ClaraDenseNet121(2, 1, 2, dropout_prob=0.3)
    assert sum(isinstance(m, nn.Dropout2d) for m in network.modules()) == 6 + 12 + 24 + 16
    assert not any(isinstance(m, nn.Dropout2d) for m in ClaraDenseNet121(2, 1, 2).modules())


def test_densenet_starts_as_tensorflows_layers_do():
    torch.manual_seed(0)
    network = ClaraDenseNet121(2, 3, 4)
    kernel = network.net.features.conv0.weight.detach().numpy()
    limit = math.sqrt(6 / (49 * (3 + 64)))
    assert stats.kstest(kernel.ravel(), stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-3
    assert not network.net.class_layers.out.bias.any()


@pytest.mark.parametrize(
    ("cls", "options", "message"),
    [
        (
            ClaraAlexNet,
            {"features": (1, 2, 3)},
            r"seven numbers of channels, at least 1 each, but they are \[1, 2, 3\]",
        ),
        (ClaraAlexNet, {"features": (4, 4, 4, 4, 4, 4, 0)}, "seven numbers"),
        (ClaraAlexNet, {"features": (9, 8, 8, 8, 8, 9, 9)}, "divisible by 8 but the network has 9"),
        (ClaraAlexNet, {"dropout_prob": 1.0}, "dropout_prob must be at least 0 and below 1 but is 1.0"),
        (ClaraDenseNet121, {"reg_weight": -0.1}, "reg_weight must not be negative"),
        (ClaraDenseNet121, {"final_activation": "sigmod"}, "did you mean 'sigmoid'"),
    ],
)
def test_refused_arguments(cls, options, message):
    with pytest.raises(ValueError, match=message):
        cls(**{"spatial_dims": 2, "in_channels": 1, "out_channels": 2} | options)
