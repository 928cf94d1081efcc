"""Built-ins as a run makes them, the legacy versions of them that a user wrote, and images in every layout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import Compose, Transform

from clara_compat.common.constants import ImageProperty
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.components import catalogue
from clara_compat.components.entry import BundleContext
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.config.arguments import create
from clara_compat.config.spec import ComponentSpec
from clara_compat.engine import properties
from clara_compat.engine.legacy.transform import legacy_transform
from clara_compat.errors import Address
from clara_compat.tensorflow import loader

BYOC = Path(__file__).parents[2] / "byoc"


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def native() -> Callable[..., Compose]:
    """Make the MONAI transforms of a built-in, seeded."""

    def make(name: str, args: dict[str, Any], rank: int = 3, seed: int = 0) -> Compose:
        spec = ComponentSpec(name, (), catalogue.components()[name], None, args, Address("c.json", 1), "train")
        component = create(spec)
        assert isinstance(component, NativeTransform)
        entries = component.bundle_entry(BundleContext(spatial_dims=rank))
        entries = entries if isinstance(entries, list) else [entries]
        config = json.loads(json.dumps([{"_target_": entry.target, **entry.arguments} for entry in entries]))
        transforms = ConfigParser({"chain": config}).get_parsed_content("chain", instantiate=True)
        return Compose(transforms).set_random_state(seed)

    return make


@pytest.fixture
def legacy() -> Callable[..., Transform]:
    """Make a transform of ``tests/byoc/legacyTransforms.py`` and put the adapter around it."""

    def make(name: str, args: dict[str, Any]) -> Transform:
        loader.use([str(BYOC)])
        return legacy_transform(loader.component(f"legacyTransforms.{name}", args))

    return make


@pytest.fixture(scope="session")
def labelled() -> Callable[..., MetaTensor]:
    """Make an image of a channel-first array (C, spatial...), as a loader would, with the label of a layout."""

    def make(values: Any, layout: str, affine: Any = None, **known: Any) -> MetaTensor:
        affine = np.diag([2.0, 1.5, 3.0, 1.0]) if affine is None else np.asarray(affine)
        image = MetaTensor(torch.as_tensor(np.array(values)), affine=torch.from_numpy(affine.copy()))
        image.meta["filename_or_obj"] = "case.nii.gz"
        told = {
            ImageProperty.SHAPE_FORMAT: str(ShapeFormat(layout)),
            ImageProperty.FILENAME: "case.nii.gz",
            ImageProperty.ORIGINAL_AFFINE: affine,
            ImageProperty.IS_CANONICAL: False,
        }
        properties.write(image, told | known)
        return image

    return make
