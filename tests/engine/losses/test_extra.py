"""A loss with what the network adds to it."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.losses.extra import LossWithExtra
from clara_compat.engine.networks.segresnet import ClaraSegResNet

OPTIONS = {"init_filters": 4, "blocks_down": (1, 1), "blocks_up": (1,), "vae_image_size": (8, 8), "reg_weight": 0.01}


@pytest.fixture
def one_process():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ClaraSegResNet(2, 1, 2, **OPTIONS)


def batch():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 1, 8, 8, generator=generator)
    return image, (image > 0.5).float()


def test_it_is_the_sum(network):
    image, label = batch()
    loss = LossWithExtra(ClaraDiceLoss(), network)
    predictions = network(image)
    expected = ClaraDiceLoss()(predictions, label).item() + network.extra_loss().item()
    assert loss(predictions, label).item() == pytest.approx(expected, rel=1e-6)
    assert network.extra_loss().item() > 0.1


def test_the_network_is_no_part_of_it(network):
    loss = LossWithExtra(nn.Sequential(ClaraDiceLoss()), network)
    assert list(loss.parameters()) == []
    assert loss.state_dict() == {}
    loss.eval()
    assert network.training


def test_a_loss_per_class_keeps_its_mean(network):
    image, _ = batch()
    predictions = network(image)
    loss = LossWithExtra(lambda predictions, targets: predictions.mean(dim=(0, 2, 3)), network)
    assert loss(predictions, None).shape == (2,)
    expected = predictions.mean().item() + network.extra_loss().item()
    assert loss(predictions, None).mean().item() == pytest.approx(expected, rel=1e-6)


def test_gradients_through_distributed_data_parallel(network, one_process):
    image, label = batch()
    gradients = []
    for wrap in (lambda plain: plain, DistributedDataParallel):
        wrapped = wrap(network)
        network.zero_grad()
        torch.manual_seed(1)
        LossWithExtra(ClaraDiceLoss(), wrapped)(wrapped(image), label).backward()
        gradients.append([p.grad.clone() for p in network.parameters()])
    for plain, distributed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, distributed)
        assert plain.any()


def test_under_autocast(network):
    image, label = batch()
    loss_function = LossWithExtra(ClaraDiceLoss(), network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = loss_function(network(image), label)
    assert loss.dtype == torch.float32
    kernels = [p for p in network.parameters() if p.ndim > 1]
    penalty = 0.005 * sum(p.detach().double().square().sum() for p in kernels)
    vae = network._vae_loss.item()
    expected = ClaraDiceLoss()(network.eval()(image), label).item() + penalty.item() + vae
    assert loss.item() == pytest.approx(expected, rel=1e-2)
    loss.backward()


def test_a_network_without():
    with pytest.raises(ValueError, match=r"Conv2d has no method extra_loss\(\) to add to the loss"):
        LossWithExtra(ClaraDiceLoss(), nn.Conv2d(1, 2, 1))
