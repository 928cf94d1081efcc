"""What all of Clara's networks must do, whichever they are."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from scipy import special
from torch import nn

from clara_compat.engine.networks.ahnet import ClaraAHNet
from clara_compat.engine.networks.alexnet import ClaraAlexNet
from clara_compat.engine.networks.densenet import ClaraDenseNet121
from clara_compat.engine.networks.network import ClaraNetwork
from clara_compat.engine.networks.segresnet import ClaraSegResNet
from clara_compat.engine.networks.unet import ClaraUNet

SMALL_ALEX = {"features": (4, 8, 8, 12, 12, 10, 6), "norm": ("group", {"num_groups": 4})}

# network, options, shape of an input, its own spatial shape in the output
NETWORKS = [
    (ClaraUNet, {"encoder_channels": (4, 4), "decoder_channels": (4, 4, 4, 4)}, (2, 2, 16, 12), True),
    (ClaraUNet, {"encoder_channels": (4,), "decoder_channels": (4, 4, 4), "norm": "batch"}, (2, 1, 4, 6, 8), True),
    (ClaraSegResNet, {"init_filters": 4}, (1, 3, 16, 24), True),
    (ClaraSegResNet, {"blocks_down": (1, 1), "blocks_up": (1,), "norm": None}, (2, 1, 8, 6, 4), True),
    (ClaraSegResNet, {"blocks_down": (1, 1), "blocks_up": (1,), "vae_image_size": (8, 8, 4)}, (2, 1, 8, 8, 4), True),
    (ClaraSegResNet, {"blocks_down": (2,), "blocks_up": ()}, (1, 1, 5, 7), True),
    (ClaraAHNet, {}, (2, 1, 64, 32), True),
    (ClaraAHNet, {"anisotropic_axis": 1, "psp": True}, (1, 1, 128, 64), True),
    (ClaraAHNet, {"anisotropic_axis": 0}, (1, 2, 32, 32, 64), True),
    (ClaraDenseNet121, {}, (2, 3, 61, 40), False),
    (ClaraDenseNet121, {}, (2, 1, 29, 30, 31), False),
    (ClaraAlexNet, SMALL_ALEX, (3, 3, 65, 33), False),
    (ClaraAlexNet, {**SMALL_ALEX, "mil": True, "norm": "batch"}, (3, 1, 40, 33, 20), False),
]
IDS = [f"{cls.__name__}-{len(shape) - 2}D-{i}" for i, (cls, _, shape, _) in enumerate(NETWORKS)]


def made(cls, options, shape, activation="softmax", seed=0):
    torch.manual_seed(seed)
    return cls(len(shape) - 2, shape[1], 3, **options, final_activation=activation)


@pytest.mark.parametrize(("cls", "options", "shape", "spatial"), NETWORKS, ids=IDS)
def test_output_seed_and_trace(cls, options, shape, spatial):
    image = torch.randn(shape)
    networks = [made(cls, options, shape, seed=seed).eval() for seed in (0, 0, 1)]
    with torch.no_grad():
        first, second, other = (network(image) for network in networks)
    assert first.shape == (shape[0], 3, *(shape[2:] if spatial else ()))
    assert torch.equal(first, second), "one seed, one network"
    assert not torch.equal(first, other)
    torch.testing.assert_close(first.sum(1), torch.ones_like(first[:, 0]), atol=1e-5, rtol=0)
    assert first.min() >= 0
    with torch.no_grad():
        traced = torch.jit.trace(networks[0], image, check_trace=False)
        assert torch.equal(traced(image), first)
        again = torch.randn(shape)
        torch.testing.assert_close(traced(again), networks[0](again), atol=1e-5, rtol=1e-4)
    names = [name for name, _ in networks[0].named_children()]
    assert names[-1] == "activation"
    assert cls.task == ("segmentation" if spatial else "classification")


@pytest.mark.parametrize(("cls", "options", "shape", "spatial"), NETWORKS, ids=IDS)
def test_every_weight_is_trained(cls, options, shape, spatial):
    network = made(cls, options, shape)
    loss = network(torch.randn(shape)).square().mean() + network.extra_loss()
    loss.backward()
    assert loss.isfinite()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert without == []


@pytest.mark.parametrize("activation", ["Sigmoid", "LINEAR"])
@pytest.mark.parametrize(("cls", "options", "shape", "spatial"), NETWORKS[::3] + NETWORKS[-1:])
def test_activations(cls, options, shape, spatial, activation):
    image = torch.randn(shape)
    linear = made(cls, options, shape, "linear").eval()(image).detach()
    out = made(cls, options, shape, activation).eval()(image).detach()
    expected = special.expit(linear.double().numpy()) if activation == "Sigmoid" else linear
    np.testing.assert_allclose(out, expected, atol=1e-6)


@pytest.mark.parametrize(("cls", "options", "shape", "spatial"), NETWORKS[::4] + NETWORKS[-1:])
def test_probabilities_stay_float32_under_autocast(cls, options, shape, spatial):
    network = made(cls, options, shape)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = network(torch.randn(shape))
        extra = network.extra_loss()
    assert (out.dtype, extra.dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(out.sum(1), torch.ones_like(out[:, 0]), atol=1e-6, rtol=0)


# --- the L2 penalty

REGULARISED = [
    (ClaraUNet, {"encoder_channels": (4, 4), "decoder_channels": (4, 4, 4, 4), "norm": "batch"}, (1, 1, 8, 8)),
    (ClaraSegResNet, {"blocks_down": (1, 1), "blocks_up": (1,), "vae_image_size": (8, 8, 4)}, (1, 1, 8, 8, 4)),
    (ClaraDenseNet121, {}, (1, 1, 32, 32)),
    (ClaraAlexNet, SMALL_ALEX, (1, 3, 16, 16)),
]


@pytest.mark.parametrize(("cls", "options", "shape"), REGULARISED)
def test_penalty_is_half_the_sum_of_squares_of_all_kernels(cls, options, shape):
    network = made(cls, options | {"reg_weight": 0.3}, shape)
    for parameter in network.parameters():
        if parameter.ndim == 1:  # biases and normalisations, which do not count, away from zero
            nn.init.uniform_(parameter, 1.0, 2.0)
    kernels = [p.detach().double().numpy() for p in network.parameters() if p.ndim > 1]
    assert len(kernels) > 5
    expected = 0.3 * sum((kernel**2).sum() for kernel in kernels) / 2
    assert network.extra_loss().item() == pytest.approx(expected, rel=1e-6)
    network.eval()
    assert network.extra_loss().item() == pytest.approx(expected, rel=1e-6)
    assert made(cls, options, shape).extra_loss().item() == 0.0


def test_gradient_of_the_penalty():
    network = made(ClaraSegResNet, {"init_filters": 2, "reg_weight": 0.7}, (1, 1, 8, 8)).double()
    network.extra_loss().backward()
    assert all(p.grad is None for p in network.parameters() if p.ndim == 1)
    generator = np.random.default_rng(0)
    for parameter in [p for p in network.parameters() if p.ndim > 1]:
        flat, step = parameter.detach().reshape(-1), 1e-6
        place = generator.integers(flat.numel())
        values = []
        for sign in (1, -1):
            flat[place] += sign * step
            values.append(network.extra_loss().item())
            flat[place] -= sign * step
        slope = (values[0] - values[1]) / (2 * step)
        assert parameter.grad.reshape(-1)[place].item() == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_a_network_whose_kernels_are_zero_can_be_trained():
    network = ClaraUNet(2, 1, 2, (4,), (4, 4, 4), reg_weight=0.1)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    network.extra_loss().backward()
    assert all(p.grad.eq(0).all() for p in network.parameters() if p.ndim > 1)


def test_the_penalty_follows_weights_that_are_replaced():
    network = ClaraUNet(2, 1, 2, (4,), (4, 4, 4), reg_weight=2.0)
    halved = {name: value / 2 for name, value in network.state_dict().items()}
    before = network.extra_loss().item()
    network.load_state_dict(halved, assign=True)
    assert network.extra_loss().item() == pytest.approx(before / 4, rel=1e-6)
    assert copy.deepcopy(network).extra_loss().item() == pytest.approx(before / 4, rel=1e-6)


# --- refusals


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spatial_dims": 1}, "spatial_dims must be 2 or 3 but is 1"),
        ({"out_channels": 0}, "at least 1: got in_channels 1, out_channels 0"),
        ({"reg_weight": -1.0}, "reg_weight must not be negative but is -1.0"),
        ({"dropout_prob": math.nan}, "dropout_prob must be at least 0 and below 1"),
    ],
)
def test_refused_numbers(options, message):
    with pytest.raises(ValueError, match=message):
        ClaraNetwork(**{"spatial_dims": 3, "in_channels": 1, "out_channels": 2} | options)


@pytest.mark.parametrize(
    ("network", "shape", "message"),
    [
        (ClaraSegResNet(2, 1, 2, 8), (1, 1, 16, 12), r"halves its input 3 times: .* multiple of 8 .* \[16, 12\]"),
        (ClaraSegResNet(2, 2, 2), (1, 1, 16, 16), r"takes \(N, 2, 2 spatial sizes\) but got .* \[1, 1, 16, 16\]"),
        (ClaraAHNet(2, 1, 2), (1, 1, 64, 48), r"halves its input 5 times: .* multiple of 32 .* \[64, 48\]"),
        (ClaraAHNet(2, 1, 2), (1, 1, 32, 32), r"deepest features of one image of \[32, 32\] are one voxel"),
        (
            ClaraAHNet(2, 1, 2, psp=True, anisotropic_axis=0),
            (2, 1, 128, 96),
            r"if_use_psp pools over 128 voxels: .* but the input is \[96, 128\], slices last",
        ),
        (ClaraDenseNet121(2, 1, 2), (2, 1, 28, 64), r"sizes must be at least 29, got \[28, 64\]"),
        (ClaraDenseNet121(2, 1, 2), (1, 1, 60, 29), r"deepest features of one image of \[60, 29\] are one voxel"),
        (ClaraUNet(2, 1, 2, (4, 4), (4, 4, 4, 4), norm="batch"), (1, 1, 4, 4), r"features of one image of \[4, 4\]"),
        (ClaraSegResNet(2, 1, 2, 8, norm="batch"), (1, 1, 8, 8), r"features of one image of \[8, 8\] are one voxel"),
        (
            ClaraSegResNet(2, 1, 2, 8, norm="batch", vae_image_size=(16, 16)),
            (1, 1, 16, 16),
            r"features of one image of \[16, 16\] are one voxel",
        ),
        (ClaraAlexNet(2, 1, 2, **SMALL_ALEX | {"norm": "batch"}), (1, 1, 16, 9), r"features of one image of \[16, 9\]"),
        (ClaraAlexNet(2, 1, 2, **SMALL_ALEX), (1, 1, 8, 8, 8), r"takes \(N, 1, 2 spatial sizes\)"),
    ],
)
def test_refused_images(network, shape, message):
    with pytest.raises(ValueError, match=message):
        network(torch.zeros(shape))


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (ClaraAHNet(2, 1, 2), (1, 1, 32, 32)),
        (ClaraDenseNet121(2, 1, 2), (1, 1, 29, 29)),
        (ClaraUNet(2, 1, 2, (4, 4), (4, 4, 4, 4), norm="batch"), (1, 1, 4, 4)),
        (ClaraSegResNet(2, 1, 2, 8, norm="batch"), (1, 1, 8, 8)),
        (ClaraAlexNet(2, 1, 2, **SMALL_ALEX | {"norm": "batch"}), (1, 1, 16, 16)),
    ],
)
def test_one_voxel_is_enough_to_predict(network, shape):
    assert network.eval()(torch.zeros(shape)).isfinite().all()


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (ClaraUNet(2, 1, 2, (4, 4), (4, 4, 4, 4), norm="batch"), (2, 1, 4, 4)),
        (ClaraUNet(2, 1, 2, (4, 4), (4, 4, 4, 4), norm="batch"), (1, 1, 4, 8)),
        (ClaraUNet(2, 1, 2, (4, 4), (4, 4, 4, 4)), (1, 1, 4, 4)),
        (ClaraSegResNet(2, 1, 2, 8, norm="batch"), (1, 1, 16, 8)),
        (ClaraSegResNet(2, 1, 2, 8, norm="batch", vae_image_size=(32, 16)), (1, 1, 32, 16)),
        (ClaraAlexNet(2, 1, 2, **SMALL_ALEX | {"norm": "batch"}), (1, 1, 17, 9)),
    ],
)
def test_two_values_are_enough_to_train(network, shape):
    network(torch.rand(shape)).sum().backward()
