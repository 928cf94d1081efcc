"""ClaraSegResNet against a numpy reference in float64, and its variational branch."""

from __future__ import annotations

import copy
import math
import pickle
from itertools import pairwise

import monai
import numpy as np
import pytest
import torch
from scipy import signal
from torch import nn

from clara_compat.engine.networks.segresnet import ClaraSegResNet
from clara_compat.engine.networks.variational import VariationalBranch

GROUPS_OF_2 = ("group", {"num_groups": 2})

# --- the reference: one image (C, spatial...), weights in the order of the layers


def same(image: np.ndarray, kernel: np.ndarray, bias: np.ndarray | None = None, stride: int = 1) -> np.ndarray:
    """TensorFlow's SAME convolution."""
    size = kernel.shape[2]
    totals = [max((-(-n // stride) - 1) * stride + size - n, 0) for n in image.shape[1:]]
    padded = np.pad(image, [(0, 0), *[(total // 2, total - total // 2) for total in totals]])
    maps = [sum(signal.correlate(p, k, mode="valid") for p, k in zip(padded, f, strict=True)) for f in kernel]
    out = np.stack(maps)[(slice(None), *[slice(None, None, stride)] * (image.ndim - 1))]
    return out if bias is None else out + bias.reshape(-1, *[1] * (out.ndim - 1))


def doubled(image: np.ndarray) -> np.ndarray:
    """Twice as many voxels along each axis, linear between voxel centres, constant beyond the outermost."""
    for axis in range(1, image.ndim):
        places = (np.arange(2 * image.shape[axis]) + 0.5) / 2 - 0.5
        centres = np.arange(image.shape[axis])
        image = np.apply_along_axis(lambda line, c=centres, p=places: np.interp(p, c, line), axis, image)
    return image


class Reference:
    """The layers as the facts tell them, fed with the parameters of a network."""

    def __init__(self, network: nn.Module, groups: int) -> None:
        self.parameters = {name: p.detach().double().numpy() for name, p in network.named_parameters()}
        self.groups = groups

    def weights(self, name: str) -> list[np.ndarray]:
        return [self.parameters[key] for key in (f"{name}.weight", f"{name}.bias") if key in self.parameters]

    def activated(self, x: np.ndarray, name: str) -> np.ndarray:
        if self.groups:
            scale, offset = (p.reshape(-1, *[1] * (x.ndim - 1)) for p in self.weights(name))
            grouped = x.reshape(min(self.groups, len(x)), -1)
            grouped = (grouped - grouped.mean(1, keepdims=True)) / np.sqrt(grouped.var(1, keepdims=True) + 1e-5)
            x = grouped.reshape(x.shape) * scale + offset
        return np.maximum(x, 0)

    def block(self, x: np.ndarray, name: str) -> np.ndarray:
        places = (0, 2, 3, 5)
        out = self.activated(x, f"{name}.layers.{places[0]}")
        out = same(out, *self.weights(f"{name}.layers.{places[1]}"))
        out = self.activated(out, f"{name}.layers.{places[2]}")
        return same(out, *self.weights(f"{name}.layers.{places[3]}")) + x

    def __call__(self, image: np.ndarray, down: tuple[int, ...], up: tuple[int, ...]) -> np.ndarray:
        x = same(image, *self.weights("first"))
        skips = []
        for level, count in enumerate(down):
            if level:
                x = same(x, *self.weights(f"down.{level}.0.1"), stride=2)
            for i in range(count):
                x = self.block(x, f"down.{level}.{i + bool(level)}")
            skips.append(x)
        for level, count in enumerate(up):
            x = doubled(same(x, *self.weights(f"enlarge.{level}.0"))) + skips[-2 - level]
            for i in range(count):
                x = self.block(x, f"up.{level}.{i}")
        x = same(self.activated(x, "final.0"), *self.weights("final.2" if self.groups else "final.1"))
        exponential = np.exp(x - x.max(axis=0))
        return exponential / exponential.sum(axis=0)


@pytest.mark.parametrize(
    ("dims", "channels", "filters", "down", "up", "size"),
    [
        (2, 1, 2, (1, 2, 1), (2, 1), (8, 12)),
        (3, 2, 2, (1, 1), (1,), (4, 6, 8)),
        (2, 3, 4, (2,), (), (5, 7)),
    ],
)
def test_forward_equals_numpy(dims, channels, filters, down, up, size):
    torch.manual_seed(0)
    network = ClaraSegResNet(dims, channels, 3, filters, down, up, norm=GROUPS_OF_2).double()
    for parameter in network.parameters():
        if parameter.ndim == 1:
            nn.init.uniform_(parameter, 0.5, 1.5)
    image = torch.rand(2, channels, *size, dtype=torch.float64)
    reference = Reference(network, groups=2)
    expected = np.stack([reference(one.numpy(), down, up) for one in image])
    np.testing.assert_allclose(network(image).detach().numpy(), expected, atol=1e-11)


def test_without_normalisation_every_convolution_has_a_bias():
    network = ClaraSegResNet(2, 1, 2, 4, (1, 1), (1,), norm=None)
    assert all(m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d))
    for norm in ("batch", GROUPS_OF_2):
        network = ClaraSegResNet(2, 1, 2, 4, (1, 1), (1,), norm=norm)
        biased = [name for name, m in network.named_modules() if isinstance(m, nn.Conv2d) and m.bias is not None]
        assert biased == ["final.2"]


# --- numbers of parameters


def counted(dims, image, classes, filters, down, up, normed=True, vae=None) -> int:
    """Add up the layers by the facts."""

    def convolution(n: int, m: int, edge: int = 3, biased: bool = not normed) -> int:
        return edge**dims * n * m + m * biased

    def block(n: int) -> int:
        return 2 * (convolution(n, n) + 2 * n * normed)

    widths = [filters * 2**level for level in range(len(down))]
    total = convolution(image, filters) + sum(n * block(w) for n, w in zip(down, widths, strict=True))
    total += sum(convolution(n, m) for n, m in pairwise(widths))
    total += sum(convolution(2 * w, w, 1) + n * block(w) for n, w in zip(up, widths[-2::-1], strict=True))
    total += 2 * filters * normed + convolution(filters, classes, 1, biased=True)
    if vae is not None:
        code, deepest = 16 * math.prod(size // 2 ** len(down) for size in vae), widths[-1]
        total += 2 * deepest * normed + convolution(deepest, 16, biased=True) + 2 * 16 * normed
        total += 2 * (code * 128 + 128) + 128 * code + code
        total += convolution(16, deepest, 1) + 2 * deepest * normed
        total += 2 * filters * normed + convolution(filters, image, 1, biased=True)
    return total


@pytest.mark.parametrize(
    ("numbers", "options", "count"),
    [
        ((3, 1, 2), {}, 1_176_186),
        ((2, 4, 3), {}, 395_211),
        ((3, 1, 2), {"filters": 2, "down": (1, 1, 1), "up": (1, 1)}, 6_880),
        ((3, 1, 2), {"filters": 2, "down": (1, 1, 1), "up": (1, 1), "normed": False}, 6_856),
        ((3, 1, 2), {"vae": (32, 32, 32)}, 1_254_723),
        ((2, 3, 2), {"vae": (32, 64), "normed": False}, 454_341),
    ],
)
def test_number_of_parameters(numbers, options, count):
    shape = {"filters": 8, "down": (1, 2, 2, 4), "up": (1, 1, 1)} | options
    normed, vae = shape.pop("normed", True), shape.pop("vae", None)
    norm = ("group", {"num_groups": 8}) if normed else None
    network = ClaraSegResNet(*numbers, *shape.values(), norm=norm, vae_image_size=vae)
    assert sum(p.numel() for p in network.parameters()) == count
    assert counted(*numbers, *shape.values(), normed=normed, vae=vae) == count


@pytest.mark.parametrize("vae", [False, True])
def test_as_many_weights_as_monai(vae):
    if vae:
        monais = monai.networks.nets.SegResNetVAE((32, 32, 32), vae_estimate_std=True, vae_nz=128)
    else:
        monais = monai.networks.nets.SegResNet()
    ours = ClaraSegResNet(3, 1, 2, vae_image_size=(32, 32, 32) if vae else None)
    shapes = [sorted(tuple(p.shape) for p in network.parameters()) for network in (ours, monais)]
    assert shapes[0] == shapes[1]


# --- options


def test_dropout_takes_whole_maps_after_the_first_convolution():
    torch.manual_seed(0)
    network = ClaraSegResNet(2, 1, 2, 16, (1, 1), (1,), dropout_prob=0.5)
    seen = []
    network.down[0].register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    image = torch.rand(4, 1, 8, 8) + 0.1
    network(image)
    dropped = seen[0].flatten(2).eq(0).all(dim=2)
    assert seen[0].eq(0).flatten(2).any(dim=2).equal(dropped), "a map is dropped whole or not at all"
    assert 0.2 < dropped.float().mean() < 0.8
    kept = network.first(image)[~dropped]
    torch.testing.assert_close(seen[0][~dropped], 2 * kept)
    network.eval()
    assert torch.equal(network(image), network(image))


def test_eight_groups_of_two_channels():
    """A published configuration: init_filters 2, use_group_normG 8."""
    network = ClaraSegResNet(3, 1, 2, 2, (1, 1, 1), (1, 1), norm=["group", {"num_groups": 8}])
    groups = {(m.num_channels, m.num_groups) for m in network.modules() if isinstance(m, nn.GroupNorm)}
    assert groups == {(2, 2), (4, 4), (8, 8)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks_up": (1, 1)}, r"one entry less than blocks_down but they are \[1, 1\] and \[1, 2, 2, 4\]"),
        ({"blocks_down": (1, 0, 2, 4)}, "must be at least 1: got init_filters 8, blocks_down"),
        ({"init_filters": 0}, "got init_filters 0"),
        ({"norm": ("group", {"num_groups": 3})}, "divisible by 3 but the network has 8, 16, 32, 64"),
        ({"vae_image_size": (32, 32, 24)}, r"sizes of the image that are multiples of 16 but got \[32, 32, 24\]"),
        ({"vae_image_size": (32, 32)}, "needs 3 sizes"),
        ({"final_activation": "relu"}, "one of softmax, sigmoid, linear"),
    ],
)
def test_refused_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        ClaraSegResNet(**{"spatial_dims": 3, "in_channels": 1, "out_channels": 2} | options)


# --- the variational branch

WITH_VAE = {"init_filters": 4, "blocks_down": (1, 1, 1), "blocks_up": (1, 1), "vae_image_size": (16, 16)}


@pytest.mark.parametrize("groups", [0, 2])
def test_its_loss_equals_numpy(groups, monkeypatch):
    torch.manual_seed(0)
    branch = VariationalBranch(2, 3, (16, 8), 4, 2, 6, GROUPS_OF_2 if groups else None).double()
    for parameter in branch.parameters():
        if parameter.ndim == 1:
            nn.init.uniform_(parameter, 0.2, 1.0)
    features = torch.randn(2, 4, 8, 4, dtype=torch.float64)
    image = torch.rand(2, 3, 16, 8, dtype=torch.float64)
    noise = torch.randn(2, 128, dtype=torch.float64)
    monkeypatch.setattr(torch, "randn_like", lambda _: noise)
    mix = np.random.default_rng(0).normal(size=(6, 4)) / 4

    def decode(x):  # any function of the features' shape that makes 6 channels of the image's size
        x = torch.einsum("oc,nchw->nohw", torch.from_numpy(mix), x)
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    reference = Reference(branch, groups)
    later = 3 if groups else 2  # where the layers stand behind normalisation, ReLU, convolution
    means, deviations, errors = [], [], []
    for one, original, drawn in zip(features.numpy(), image.numpy(), noise.numpy(), strict=True):
        x = reference.activated(one, "encode.0")
        x = same(x, *reference.weights(f"encode.{later - 1}.1"), stride=2)
        x = reference.activated(x, f"encode.{later}").ravel()
        dense = {name: reference.weights(name) for name in ("mean", "deviation", "expand")}
        mean, raw = (dense[name][0] @ x + dense[name][1] for name in ("mean", "deviation"))
        deviation = np.log1p(np.exp(raw))
        code = mean + deviation * drawn
        x = np.maximum(dense["expand"][0] @ code + dense["expand"][1], 0).reshape(16, 4, 2)
        x = doubled(same(x, *reference.weights("restore.0")))
        x = reference.activated(x, "restore.2")
        x = np.einsum("oc,chw->ohw", mix, x).repeat(2, 1).repeat(2, 2)
        x = same(reference.activated(x, "final.0"), *reference.weights(f"final.{later - 1}"))
        means.append(mean)
        deviations.append(deviation)
        errors.append((x - original) ** 2)
    means, variances = np.array(means), np.array(deviations) ** 2
    divergence = 0.5 * (means**2 + variances - np.log(variances + 1e-8) - 1).mean()
    loss = branch(features, image, decode).item()
    assert loss == pytest.approx(divergence + 0.1 * np.mean(errors), rel=1e-10)
    assert divergence > 0.01
    assert np.mean(errors) > 0.01


def test_it_changes_no_prediction_and_runs_in_training_only():
    torch.manual_seed(0)
    network = ClaraSegResNet(2, 1, 2, **WITH_VAE)
    plain = ClaraSegResNet(2, 1, 2, **WITH_VAE | {"vae_image_size": None})
    plain.load_state_dict({name: value for name, value in network.state_dict().items() if "vae" not in name})
    image = torch.rand(2, 1, 16, 16)
    assert network.extra_loss().item() == 0.0, "nothing has run yet"
    expected = plain(image)
    assert torch.equal(network(image), expected)
    loss = network.extra_loss()
    assert loss.item() > 0
    assert torch.equal(network.extra_loss(), loss), "asked twice, the same"
    network.eval()
    calls = []
    network.vae.register_forward_hook(lambda *_: calls.append(1))
    assert torch.equal(network(image), expected)
    assert calls == []
    assert network.extra_loss().item() == 0.0
    assert network(torch.rand(1, 1, 24, 8)).shape == (1, 2, 24, 8), "any size when it does not train"
    network.train()
    with torch.no_grad():
        assert network(torch.rand(1, 1, 24, 8)).shape == (1, 2, 24, 8), "as in a validation in training mode"
    assert calls == []


def test_its_gradient_reaches_encoder_decoder_and_branch_but_not_the_head():
    torch.manual_seed(0)
    network = ClaraSegResNet(2, 1, 2, **WITH_VAE)
    network(torch.rand(2, 1, 16, 16))
    network.extra_loss().backward()
    untouched = {name.partition(".")[0] for name, p in network.named_parameters() if p.grad is None}
    assert untouched == {"final"}


def test_the_gradient_of_its_loss_by_finite_differences(monkeypatch):
    torch.manual_seed(0)
    network = ClaraSegResNet(2, 1, 2, **WITH_VAE).double()
    noise = torch.randn(2, 128, dtype=torch.float64)
    monkeypatch.setattr(torch, "randn_like", lambda _: noise)
    image = torch.rand(2, 1, 16, 16, dtype=torch.float64)

    def loss() -> torch.Tensor:
        with torch.enable_grad():  # the branch runs for a gradient only
            network(image)
        return network.extra_loss()

    loss().backward()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name in ("first.weight", "vae.deviation.weight", "vae.mean.bias", "vae.final.2.weight"):
            parameter = network.get_parameter(name)
            direction = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            direction /= direction.norm()
            slope = (parameter.grad * direction).sum().item()
            values = []
            for sign in (1, -2, 1):
                parameter += sign * 1e-6 * direction
                values.append(loss().item())
            assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope, rel=1e-5, abs=1e-8), name


def test_the_noise_follows_the_seed():
    network = ClaraSegResNet(2, 1, 2, **WITH_VAE)
    losses = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        network(torch.ones(1, 1, 16, 16))
        losses.append(network.extra_loss().item())
    assert losses[0] == losses[1] != losses[2]


def test_a_network_that_has_trained_can_be_copied():
    network = ClaraSegResNet(2, 1, 2, **WITH_VAE, reg_weight=0.1)
    network(torch.rand(1, 1, 16, 16))
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert "_vae_loss" not in twin.state_dict()
        assert twin.extra_loss().item() < network.extra_loss().item(), "the penalty, without the loss of a step"
        assert twin.eval()(torch.rand(1, 1, 16, 16)).isfinite().all()


def test_a_training_image_of_another_size():
    with pytest.raises(ValueError, match=r"made for images of \[16, 16\] but a training image is \[8, 16\]"):
        ClaraSegResNet(2, 1, 2, **WITH_VAE)(torch.rand(1, 1, 8, 16))


def test_it_trains_under_autocast():
    network = ClaraSegResNet(2, 1, 2, **WITH_VAE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        network(torch.rand(2, 1, 16, 16))
    loss = network.extra_loss()
    assert loss.dtype == torch.float32
    loss.backward()
    assert all(p.grad.isfinite().all() for p in network.parameters() if p.grad is not None)
