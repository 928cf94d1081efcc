from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties
from clara_compat.engine.transforms.copy_properties import CopyPropertiesd
from clara_compat.errors import ClaraError


@pytest.fixture
def item(oblique_affine):
    """A loaded image, and a network's output that knows nothing."""
    image = MetaTensor(torch.zeros(1, 4, 5, 6), affine=torch.from_numpy(oblique_affine.copy()))
    image.meta["filename_or_obj"] = "a.nii"
    known = {
        "original_affine": oblique_affine,
        "as_canonical": True,
        "original_shape": (9, 9, 9),
        "shape_format": "DHW",
    }
    properties.write(image, {**known, "mine": [1, None]})
    return {"image": image, "model": MetaTensor(torch.ones(2, 4, 5, 6)), "plain": torch.ones(2, 4, 5, 6)}


def test_all_kinds(item, oblique_affine):
    names = ["affine", "original_affine", "is_canonical", "original_shape", "mine"]
    out = CopyPropertiesd(["model", "plain"], "image", names)(item)
    for key in ("model", "plain"):
        assert torch.equal(out[key].as_tensor(), item["plain"])
        known = properties.read(out[key])
        np.testing.assert_array_equal(out[key].affine.numpy(), oblique_affine)
        np.testing.assert_array_equal(known["original_affine"], oblique_affine)
        assert known["as_canonical"] is True
        assert known["original_shape"] == (9, 9, 9)
        assert known["mine"] == [1, None]
        assert known["spacing"] == pytest.approx((0.8, 1.5, 4))
        assert "shape_format" not in known
    assert torch.equal(item["model"].affine, torch.eye(4))
    assert "clara" not in item["model"].meta
    out["model"].affine[0, 0] = 99
    assert item["image"].affine[0, 0] != 99


@pytest.mark.parametrize("asked", ["is_canonical", "as_canonical"])
@pytest.mark.parametrize("held", ["is_canonical", "as_canonical"])
def test_both_names_of_the_canonical_orientation(item, held, asked):
    properties.write(item["image"], {held: True})
    out = CopyPropertiesd("model", "image", [asked])(item)["model"]
    assert properties.read(out)["as_canonical"] is True


def test_only_what_is_named(item):
    properties.write(item["model"], {"file_name": "b.nii", "as_canonical": False})
    out = CopyPropertiesd("model", "image", ["original_shape"])(item)["model"]
    assert torch.equal(out.affine, torch.eye(4))
    assert properties.read(out)["file_name"] == "b.nii"
    assert properties.read(out)["as_canonical"] is False


def test_spacing_alone(item):
    out = CopyPropertiesd("model", "image", ["spacing"])(item)["model"]
    assert properties.read(out)["spacing"] == pytest.approx((0.8, 1.5, 4))
    assert torch.equal(out.affine, torch.eye(4))


def test_the_affine_of_a_tensor_without_properties(item):
    item["image"] = MetaTensor(torch.zeros(1, 4, 5, 6), affine=torch.diag(torch.tensor([2.0, 3, 4, 1])))
    out = CopyPropertiesd("plain", "image", ["affine", "spacing"])(item)["plain"]
    assert out.affine.diag().tolist() == [2, 3, 4, 1]
    assert properties.read(out)["spacing"] == (2, 3, 4)


HAS = "affine, as_canonical, mine, original_affine, original_shape, spacing"


@pytest.mark.parametrize(
    ("source", "name", "message"),
    [
        (
            "image",
            "orignal_affine",
            f"no property 'orignal_affine', it has {HAS}; did you mean 'original_affine'.* .a.nii",
        ),
        ("image", "shape_format", "'image' has no property 'shape_format'"),
        ("plain", "affine", "'plain' has no property 'affine', it has none at all"),
    ],
)
def test_what_the_source_does_not_have(item, source, name, message):
    with pytest.raises(ClaraError, match=message):
        CopyPropertiesd("model", source, [name])(item)
