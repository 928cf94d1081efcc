"""Networks to export."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser

from clara_compat.components import catalogue
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext
from clara_compat.translate.render import render

_SMALL: dict[str, dict[str, Any]] = {
    "Unet": {"nf_enc": "4,4,8", "nf_dec": "4,4,4,4,4", "use_group_norm": True, "use_group_normG": 2},
    "UnetParallel": {"nf_enc": "4,4,8", "nf_dec": "4,4,4,4,4"},
    "SegResnet": {"init_filters": 8, "blocks_down": "1,1,1", "blocks_up": "1,1"},
    "Alexnet": {"num_feat": "8,8,16,16,16,16,16"},
}
"""Arguments that keep a model small; those that its constructor does not know are left out."""

MODELS = [
    pytest.param(name, marks=[] if name in _SMALL else [pytest.mark.slow])
    for name, cls in sorted(catalogue.components().items())
    if catalogue.family(cls) == "models"
]


def network_def(model: str, dims: int, channels: int = 2) -> dict[str, Any]:
    """Return the bundle entry of a small network of the catalogue."""
    cls: type[Component] = catalogue.components()[model]
    known = inspect.signature(cls.__init__).parameters
    arguments = {name: value for name, value in _SMALL.get(model, {}).items() if name in known}
    component = cls(num_classes=3, **arguments)
    return render(component.bundle_entry(BundleContext(spatial_dims=dims, in_channels=channels)))


def seasoned(network: torch.nn.Module, dims: int) -> torch.nn.Module:
    """Give every bias a value of its own, and every statistic one that fits images within [0, 1]."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.1 * (torch.rand(value.shape, generator=generator) - 0.5) * (value.ndim == 1))
        for layer in network.modules():
            if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
                layer.momentum = 1.0
        images = torch.rand((2, 2, *(64,) * dims), generator=generator)
        network.train()(images)
        logits: list[torch.Tensor] = []
        hook = network.activation.register_forward_pre_hook(lambda _, given: logits.append(given[0]))
        network.eval()(images)
        hook.remove()
    network.activation = Damped(network.activation, 1 / float(logits[0].std()))
    return network.eval()


class Damped(torch.nn.Module):
    """Keeps the final activation of an untrained network from saturating, where all files would agree."""

    def __init__(self, activation: torch.nn.Module, factor: float) -> None:
        super().__init__()
        self.activation = activation
        self.factor = factor

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return self.activation(logits * self.factor)


@pytest.fixture(params=[2, 3], ids=["2d", "3d"])
def dims(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(params=MODELS)
def network(request: pytest.FixtureRequest, dims: int) -> torch.nn.Module:
    """Every model of the catalogue, small, with two image channels."""
    torch.manual_seed(0)
    entry = network_def(request.param, dims)
    return seasoned(ConfigParser({"network_def": entry}).get_parsed_content("network_def"), dims)
