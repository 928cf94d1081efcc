"""Every component of the model side becomes an object that runs, by way of the bundle config."""

from __future__ import annotations

import json

import pytest
import torch
from monai.bundle import ConfigParser
from monai.inferers import SlidingWindowInferer

from clara_compat.components.aux_ops.neg_loss import NegLoss
from clara_compat.components.entry import BundleContext
from clara_compat.components.inferers.tf_scan_window_inferer import TFScanWindowInferer
from clara_compat.components.losses.dice import Dice
from clara_compat.components.losses.focal import Focal
from clara_compat.components.metrics.compute_average import ComputeAverage
from clara_compat.components.metrics.compute_average_dice import ComputeAverageDice
from clara_compat.components.models.unet import Unet
from clara_compat.components.optimizers.adam import Adam
from clara_compat.translate.render import render


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("loss", [Dice(squared_pred=True), Focal()])
def test_a_step_and_a_validation(dims, loss):
    context = BundleContext(spatial_dims=dims, in_channels=1, crop_size=(16,) * dims)
    components = {
        "network": Unet(2, "8,8", "8,8,8,8", use_group_norm=True, use_group_normG=4),
        "loss": loss,
        "optimizer": Adam(beta2=0.99, epsilon=1e-7),
        "op": NegLoss("negloss"),
        "average": ComputeAverage("loss", "loss", negate_value=True),
        "dice": ComputeAverageDice("dice", "model"),
        "inferer": TFScanWindowInferer([16] * dims, batch_size=3),
    }
    config = {name: render(component.bundle_entry(context)) for name, component in components.items()}
    parser = ConfigParser(json.loads(json.dumps({"learning_rate": 0.01, **config}, allow_nan=False)))
    torch.manual_seed(0)
    network, loss_function, optimizer = (parser.get_parsed_content(key) for key in ("network", "loss", "optimizer"))
    settings = optimizer.param_groups[0]
    assert (settings["lr"], tuple(settings["betas"]), settings["eps"]) == (0.01, (0.9, 0.99), 1e-7)

    image = torch.rand(2, 1, *[20] * dims)
    label = (image > 0.5).float()
    inferer = parser.get_parsed_content("inferer")
    assert isinstance(inferer, SlidingWindowInferer)
    crop = (slice(None), slice(None), *[slice(16)] * dims)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        value = loss_function(network(image[crop]), label[crop])
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[2] < losses[0]

    with torch.no_grad():
        output = {"image": image, "label": label, "pred": inferer(image, network)}
    assert output["pred"].shape == (2, 2, *[20] * dims)
    output |= parser.get_parsed_content("op")(output)
    average, dice = (parser.get_parsed_content(name) for name in ("average", "dice"))
    for metric in (average, dice):
        metric.update(output)
    assert average.compute() == pytest.approx(output["negloss"].item())
    assert 0.0 <= dice.compute() <= 1.0
