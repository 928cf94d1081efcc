"""ClaraUNet against a numpy reference in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import signal

from clara_compat.engine.networks.unet import ClaraUNet

# spatial dims, image channels, classes, encoder, decoder, norm -> parameters, summed by hand over the layers
COUNTS = [
    ((3, 1, 2), {}, 1_191_266),
    ((3, 1, 2), {"norm": ("group", {"num_groups": 8})}, 1_191_874),
    ((2, 1, 2), {}, 397_538),
    ((3, 4, 3), {}, 1_196_483),
    ((2, 1, 1), {"encoder_channels": (4,), "decoder_channels": (5, 6, 7)}, 957),
]


def same_convolution(image: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None, stride: int) -> np.ndarray:
    """TensorFlow's SAME: as many outputs as strides fit, the padding split evenly, an odd voxel of it after."""
    size = kernel.shape[2]
    pads = []
    for n in image.shape[1:]:
        total = max((-(-n // stride) - 1) * stride + size - n, 0)
        pads.append((total // 2, total - total // 2))
    padded = np.pad(image, [(0, 0), *pads])
    spatial = tuple(slice(None, None, stride) for _ in image.shape[1:])
    maps = [sum(signal.correlate(p, k, mode="valid") for p, k in zip(padded, f, strict=True)) for f in kernel]
    out = np.stack(maps)[(slice(None), *spatial)]
    return out if bias is None else out + bias.reshape(-1, *[1] * (out.ndim - 1))


def reference(network: ClaraUNet, image: np.ndarray, levels: int, decoder: int) -> np.ndarray:
    """VoxelMorph's layout, from its published pseudo code, on one image (C, spatial...)."""
    parameters = iter([p.detach().double().numpy() for p in network.parameters()])
    relu = lambda x: np.maximum(x, 0.0)  # noqa: E731
    block = lambda x, stride=1: relu(same_convolution(x, next(parameters), next(parameters), stride))  # noqa: E731

    def doubled(x: np.ndarray) -> np.ndarray:
        for axis in range(1, x.ndim):
            x = np.repeat(x, 2, axis=axis)
        return x

    encoded = [image]
    for _ in range(levels):
        encoded.append(block(encoded[-1], 2))
    x = encoded[-1]
    for level in range(levels - 1):
        x = np.concatenate([doubled(block(x)), encoded[-2 - level]])
    x = block(block(x))
    x = np.concatenate([doubled(x), image])
    for _ in range(decoder - levels - 1):
        x = block(x)
    x = same_convolution(x, next(parameters), next(parameters), 1)
    assert next(parameters, None) is None
    exponential = np.exp(x - x.max(axis=0))
    return exponential / exponential.sum(axis=0)


@pytest.mark.parametrize(
    ("dims", "channels", "encoder", "decoder", "size"),
    [
        (2, 1, (4, 5, 6, 7), (8, 7, 6, 5, 4, 3, 2), (16, 32)),
        (3, 2, (4, 5, 6), (6, 5, 4, 3, 2), (8, 16, 8)),
        (2, 3, (4,), (5, 6, 7), (6, 4)),
    ],
)
def test_forward_equals_numpy(dims, channels, encoder, decoder, size):
    torch.manual_seed(0)
    network = ClaraUNet(dims, channels, 3, encoder, decoder).double()
    for parameter in network.parameters():
        if parameter.ndim == 1:
            torch.nn.init.uniform_(parameter, -0.1, 0.1)
    image = torch.rand(2, channels, *size, dtype=torch.float64)
    expected = np.stack([reference(network, one.numpy(), len(encoder), len(decoder)) for one in image])
    np.testing.assert_allclose(network(image).detach().numpy(), expected, atol=1e-12)


def counted(dims, image, classes, encoder=(32, 64, 64, 64), decoder=(64, 64, 64, 64, 64, 32, 32), norm=None) -> int:
    """Add up the layers: a kernel each, and a bias or a scale and an offset for each output channel."""
    inputs = [image, *encoder]
    levels = len(encoder)
    joined = [*encoder[::-1][1:], image]  # what each doubling is joined with
    pairs = [*zip(inputs[:-1], encoder, strict=True), (encoder[-1], decoder[0])]
    for i, outputs in enumerate(decoder[1:], start=1):
        added = joined[i - 1] if i < levels else image if i == levels + 1 else 0
        pairs.append((decoder[i - 1] + added, outputs))
    each = 1 if norm is None else 2
    return sum(3**dims * n * m + each * m for n, m in pairs) + (decoder[-1] + 1) * classes


@pytest.mark.parametrize(("numbers", "options", "count"), COUNTS)
def test_number_of_parameters(numbers, options, count):
    assert sum(p.numel() for p in ClaraUNet(*numbers, **options).parameters()) == count
    options = {name.removesuffix("_channels"): value for name, value in options.items()}
    assert counted(*numbers, **options) == count


def test_groups_are_never_more_than_channels():
    network = ClaraUNet(2, 1, 2, (4, 16), (2, 16, 16, 16), norm=["group", {"num_groups": 8}])
    groups = [m.num_groups for m in network.modules() if isinstance(m, torch.nn.GroupNorm)]
    assert groups == [4, 8, 2, 8, 8, 8]


@pytest.mark.parametrize(("activation", "low", "high"), [("Softmax", 0, 1), ("SIGMOID", 0, 1), ("linear", -9, 9)])
def test_output(activation, low, high):
    network = ClaraUNet(3, 1, 3, (4, 4), (4, 4, 4, 4), final_activation=activation)
    out = network(torch.randn(2, 1, 8, 12, 16)).detach()
    assert out.shape == (2, 3, 8, 12, 16)
    assert low <= out.min() < out.max() <= high
    sums_to_one = torch.allclose(out.sum(1), torch.ones(2, 8, 12, 16), atol=1e-6)
    assert sums_to_one == (activation == "Softmax")


def test_softmax_stays_float32_under_autocast():
    network = ClaraUNet(2, 1, 2, (4, 4), (4, 4, 4, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = network(torch.rand(1, 1, 16, 16))
    assert out.dtype == torch.float32
    np.testing.assert_allclose(out.detach().sum(1), 1.0, atol=1e-6)  # bfloat16 would be off by up to 4e-3


def test_normalisation_replaces_the_bias_and_dropout_is_for_training_only():
    network = ClaraUNet(2, 1, 2, (8, 8), (8, 8, 8, 8), norm=["group", {"num_groups": 4}], dropout_prob=0.5)
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [c.bias is not None for c in convolutions] == [False] * 6 + [True]
    assert sum(isinstance(m, torch.nn.GroupNorm) for m in network.modules()) == 6
    image = torch.rand(1, 1, 16, 16)
    assert not torch.equal(network.train()(image), network(image))
    assert torch.equal(network.eval()(image), network(image))
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in ClaraUNet(2, 1, 2, norm="batch").modules())


def test_one_seed_gives_one_network():
    networks = []
    for _ in range(2):
        torch.manual_seed(3)
        networks.append(ClaraUNet(3, 1, 2))
    image = torch.rand(1, 1, 32, 32, 32)
    assert torch.equal(networks[0](image), networks[1](image))


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_can_be_scripted():
    network = ClaraUNet(2, 1, 2, (4, 4), (4, 4, 4, 4), norm=("group", {"num_groups": 2}))
    image = torch.rand(1, 1, 16, 16)
    assert torch.equal(torch.jit.script(network)(image), network(image))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spatial_dims": 4}, "spatial_dims must be 2 or 3 but is 4"),
        ({"decoder_channels": (8, 8, 8, 8, 8)}, r"at least two entries more than the encoder.* got 4 .* and 5 decoder"),
        ({"encoder_channels": ()}, "needs at least one: got 0 encoder_channels"),
        ({"encoder_channels": (8, 0, 8, 8)}, "must be at least 1"),
        ({"dropout_prob": 1.0}, "dropout_prob must be at least 0 and below 1 but is 1.0"),
        ({"norm": ("group", {"num_groups": 5})}, "divisible by 5 but the network has 32, 64"),
        ({"norm": ("group", {"num_groups": 0})}, "with 0 groups"),
        ({"final_activation": "softmaxx"}, "one of softmax, sigmoid, linear; did you mean 'softmax'"),
    ],
)
def test_refused_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        ClaraUNet(**{"spatial_dims": 3, "in_channels": 1, "out_channels": 2} | options)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 1, 64, 64, 60), r"halves its input 4 times: .* multiple of 16 but the input is \[64, 64, 60\]"),
        ((1, 2, 16, 16, 16), r"takes \(N, 1, 3 spatial sizes\) but got a tensor of shape \[1, 2, 16, 16, 16\]"),
        ((1, 1, 16, 16), "takes"),
    ],
)
def test_refused_images(shape, message):
    with pytest.raises(ValueError, match=message):
        ClaraUNet(3, 1, 2)(torch.zeros(shape))
