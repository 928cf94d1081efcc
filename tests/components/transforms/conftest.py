"""Make the MONAI transforms that a component becomes, the way a run makes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import Compose

from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Thousands of tiny operations: threads only wait for each other, as they do not in a loader's workers."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def build() -> Callable[..., Compose]:
    """Return the transforms of a component, made by ``ConfigParser`` from JSON and seeded."""

    def make(component: Component, spatial_dims: int = 3, seed: int = 0) -> Compose:
        entries = component.bundle_entry(BundleContext(spatial_dims=spatial_dims))
        entries = entries if isinstance(entries, list) else [entries]
        config = [{"_target_": entry.target, **entry.arguments} for entry in entries]
        parser = ConfigParser({"chain": json.loads(json.dumps(config))})
        return Compose(parser.get_parsed_content("chain", instantiate=True)).set_random_state(seed)

    return make


@pytest.fixture
def numbered() -> Callable[..., dict[str, MetaTensor]]:
    """Make an item whose image and label are numbered voxel by voxel, channel-first."""

    def make(size: tuple[int, ...], channels: int = 1) -> dict[str, MetaTensor]:
        values = torch.arange(float(np.prod(size))).reshape(1, *size).repeat(channels, *[1] * len(size))
        affine = torch.diag(torch.tensor([2.0, 3.0, 4.0, 1.0]))
        return {name: MetaTensor(values.clone(), affine=affine.clone()) for name in ("image", "label")}

    return make
