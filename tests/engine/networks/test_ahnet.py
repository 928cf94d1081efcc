"""Clara's SegAhnet: what the wrapper adds to MONAI's network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.networks.nets import AHNet

from clara_compat.engine.networks.ahnet import ClaraAHNet


@pytest.mark.parametrize(("axis", "shape"), [(0, (1, 1, 32, 64, 64)), (1, (1, 1, 64, 32, 96)), (2, (1, 1, 64, 32, 32))])
def test_the_slices_lie_along_the_axis(axis, shape):
    network = ClaraAHNet(3, 1, 2, anisotropic_axis=axis, final_activation="linear").eval()
    image = torch.rand(shape)
    others = [n for n in range(3) if n != axis]
    turned = image.permute(0, 1, *[2 + n for n in (*others, axis)])
    with torch.no_grad():
        found, expected = network(image), network.net(turned)
    assert found.shape == (1, 2, *shape[2:])
    back = [(*others, axis).index(n) for n in range(3)]
    assert torch.equal(found, expected.permute(0, 1, *[2 + n for n in back]))


def test_the_first_halving_along_the_slices_is_a_pooling():
    network = ClaraAHNet(3, 1, 2, anisotropic_axis=1)
    assert network.net.conv1.stride == (2, 2, 1)
    assert network.axis == 3


def test_the_pyramid_is_of_monais_four_windows():
    counts = {}
    for psp in (False, True):
        ours = ClaraAHNet(2, 1, 3, psp=psp)
        monais = AHNet(spatial_dims=2, out_channels=3, psp_block_num=4 * psp, upsample_mode="bilinear")
        counts[psp] = sum(p.numel() for p in ours.parameters())
        assert [p.shape for p in ours.net.parameters()] == [p.shape for p in monais.parameters()]
    # four projections of the 124 last features to one, with bias; 4 more channels in the final norm and convolution
    assert counts[True] - counts[False] == 4 * (124 + 1) + 4 * 2 + 4 * 3 * 3


def test_no_loss_of_its_own():
    assert ClaraAHNet(2, 1, 2).extra_loss().item() == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"anisotropic_axis": 3}, "anisotropic_axis must be one of 3 axes from 0 but is 3"),
        ({"anisotropic_axis": -2}, "but is -2"),
        ({"final_activation": "soft"}, "did you mean 'softmax'"),
        ({"in_channels": 0}, "at least 1"),
    ],
)
def test_refused_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        ClaraAHNet(**{"spatial_dims": 3, "in_channels": 1, "out_channels": 2} | options)


def layer(inputs, width, blocks):
    """Weights of a layer of ResNet-50: convolutions of 1, 3 and 1, each with scale and shift behind it."""
    outputs = 4 * width
    first = inputs * width + 9 * width**2 + width * outputs + inputs * outputs + 4 * width + 4 * outputs
    return first + (blocks - 1) * (outputs * width + 9 * width**2 + width * outputs + 4 * width + 2 * outputs)


def test_the_trunk_is_the_published_resnet_50():
    """He et al. 2016, table 1: 3, 4, 6 and 3 bottlenecks; 23,508,032 weights without the classifier.

    Only the first kernel is longer along the slices, by 3: all others are those of two dimensions.
    """
    trunk = ("conv1.", "bn0.", "layer1.", "layer2.", "layer3.", "layer4.")
    named = ClaraAHNet(3, 3, 2).net.named_parameters()
    found = sum(weight.numel() for name, weight in named if name.startswith(trunk))
    layers = [layer(64, 64, 3), layer(256, 128, 4), layer(512, 256, 6), layer(1024, 512, 3)]
    assert sum(layers) + 3 * 64 * 49 + 2 * 64 == 23_508_032
    assert found == sum(layers) + 3 * 64 * 49 * 3 + 2 * 64


def convolved(values, weight, stride=1):
    """Return (C, H, W, slices) convolved slice by slice with (O, C, k, k, 1), padded with zeros."""
    reach = weight.shape[2] // 2
    padded = np.pad(values, [(0, 0), (reach, reach), (reach, reach), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:4], axis=(1, 2))
    return np.einsum("chwsij,ocij->ohws", windows[:, ::stride, ::stride], weight[..., 0])


def pooled(values):
    """Return the larger of every two slices."""
    return values.reshape(*values.shape[:-1], -1, 2).max(axis=-1)


@pytest.mark.parametrize("place", ["layer1.0", "layer2.0", "layer3.1"])
def test_a_bottleneck_in_numpy(place):
    """The first of layer2 halves within slices by its stride and along them by pooling; others keep the size."""
    torch.manual_seed(0)
    block = ClaraAHNet(3, 1, 2).net.get_submodule(place).double().eval()
    for norm in (module for module in block.modules() if isinstance(module, torch.nn.BatchNorm3d)):
        for values in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
            values.uniform_(0.5, 1.5)
    state = {name: value.numpy() for name, value in block.state_dict().items()}
    image = np.random.default_rng(0).normal(size=(state["conv1.weight"].shape[1], 6, 8, 4))

    def normed(values, name):
        scale = state[f"{name}.weight"] / np.sqrt(state[f"{name}.running_var"] + 1e-5)
        shift = state[f"{name}.bias"] - scale * state[f"{name}.running_mean"]
        return scale[:, None, None, None] * values + shift[:, None, None, None]

    halves = place == "layer2.0"
    hidden = np.maximum(normed(convolved(image, state["conv1.weight"]), "bn1"), 0)
    hidden = np.maximum(normed(convolved(hidden, state["conv2.weight"], 2 if halves else 1), "bn2"), 0)
    expected = normed(convolved(hidden, state["conv3.weight"]), "bn3")
    shortcut = image
    if "downsample.0.weight" in state:
        shortcut = convolved(image, state["downsample.0.weight"], 2 if halves else 1)
        shortcut = normed(pooled(shortcut) if halves else shortcut, "downsample.2")
    with torch.no_grad():
        found = block(torch.from_numpy(image)[None])[0].numpy()
    expected = np.maximum((pooled(expected) if halves else expected) + shortcut, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
