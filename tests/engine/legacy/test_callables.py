"""Callables from dictionary to dictionary, as Clara's annotation server took them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties
from clara_compat.engine.legacy.transform import LegacyTransform, legacy_transform
from clara_compat.errors import ClaraError


def item() -> dict[str, Any]:
    image = MetaTensor(torch.ones(1, 3, 4), affine=torch.diag(torch.tensor([2.0, 3.0, 1.0, 1.0])))
    properties.write(image, {"shape_format": "HW", "file_name": "a.png"})
    return {"image": image, "points": [[1, 2]]}


class Doubles:
    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        assert data["image"].shape == (3, 4)
        return {"image": data["image"] * 2, "points": data["points"] + [[3, 4]]}


class InPlace:
    def __call__(self, data: dict[str, Any]) -> None:
        data["image"] += 1


class Wrong:
    def __init__(self, result: Any) -> None:
        self.result = result

    def __call__(self, data: dict[str, Any]) -> Any:
        return self.result


def test_arrays_go_in_and_come_back_with_their_metadata() -> None:
    transform = legacy_transform(Doubles())
    assert isinstance(transform, LegacyTransform)
    assert transform.name == "Doubles"
    out = transform(item())
    assert torch.equal(out["image"].as_tensor(), torch.full((1, 3, 4), 2.0))
    assert properties.read(out["image"])["file_name"] == "a.png"
    assert torch.equal(out["image"].affine, item()["image"].affine)
    assert out["points"] == [[1, 2], [3, 4]]


def test_one_that_changes_what_it_is_given() -> None:
    assert float(legacy_transform(InPlace())(item())["image"].max()) == 2.0


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (3, "Wrong returned a int: expected a dictionary of the fields"),
        ({"image": np.ones((1, 3, 4))}, "Wrong left an array of 3 axes in 'image', which was HW: keep the axes"),
    ],
)
def test_what_is_refused(result: Any, message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        legacy_transform(Wrong(result))(item())
    with pytest.raises(ClaraError, match=r"int has no method transform"):
        legacy_transform(3)
