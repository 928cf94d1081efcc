"""TensorFlow's weights in torch's layers give what they gave in TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from clara_compat.tensorflow.checkpoint.layout import torch_layout
from clara_compat.tensorflow.checkpoint.reader import open_checkpoint


def test_a_network_of_tensorflows(checkpoints, expected):
    """Convolution, transposed convolution and dense layer against TensorFlow's own outputs."""
    checkpoint = open_checkpoint(checkpoints / "network")

    def weight(name):
        return torch.from_numpy(np.array(torch_layout(name, checkpoint.read(f"CustomNetwork/{name}"))))

    def layer(name):
        return weight(f"{name}/kernel"), weight(f"{name}/bias")

    image = torch.from_numpy(expected["network:input"])
    x = F.relu(F.conv3d(F.pad(image, (0, 1, 0, 1, 0, 1)), *layer("conv3d"), stride=2))  # TensorFlow pads at the end
    x = F.relu(F.conv_transpose3d(x, *layer("up"), stride=2))
    volume = F.conv3d(x, *layer("conv3d_1"))
    gate = F.linear(volume.mean((2, 3, 4)), *layer("dense"))
    np.testing.assert_allclose(volume.numpy(), expected["network:output"], atol=1e-5)
    np.testing.assert_allclose(gate.numpy(), expected["network:gate"], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "shape", "turned"),
    [
        ("a/conv3d/kernel", (3, 4, 5, 1, 7), (7, 1, 3, 4, 5)),
        ("a/conv2d/kernel", (3, 4, 1, 7), (7, 1, 3, 4)),
        ("a/Conv/weights", (3, 1, 7), (7, 1, 3)),
        ("a/fc/w", (2, 3), (3, 2)),
        ("layer/kernel/.ATTRIBUTES/VARIABLE_VALUE", (2, 3), (3, 2)),
        ("a/separable/depthwise_kernel", (3, 4, 5, 2), (10, 1, 3, 4)),
        ("a/separable/pointwise_kernel", (1, 1, 10, 2), (2, 10, 1, 1)),
        ("a/bias", (3,), (3,)),
        ("a/kernel", (3,), (3,)),
        ("a/kernel", (1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6)),
        ("a/moving_mean", (1, 3, 1), (1, 3, 1)),
        ("scalar", (), ()),
    ],
)
def test_axes(name, shape, turned):
    assert torch_layout(name, np.zeros(shape)).shape == turned


def test_a_depthwise_kernel():
    """Against the sum that TensorFlow documents: output ``i * m + q`` is input ``i`` with the filter ``q`` of it."""
    generator = np.random.default_rng(0)
    image, kernel = generator.normal(size=(1, 3, 4, 4)), generator.normal(size=(2, 2, 3, 2))
    expected = np.zeros((1, 6, 3, 3))
    for i in range(3):
        for q in range(2):
            for row in range(3):
                for column in range(3):
                    window = image[0, i, row : row + 2, column : column + 2]
                    expected[0, i * 2 + q, row, column] = (window * kernel[:, :, i, q]).sum()
    weight = torch.from_numpy(np.array(torch_layout("depthwise_kernel", kernel)))
    np.testing.assert_allclose(F.conv2d(torch.from_numpy(image), weight, groups=3).numpy(), expected)
