from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties
from clara_compat.engine.transforms.normalize_nonzero import NormalizeNonzeroIntensityd


def reference(image):
    """float64, channel by channel over what is not 0."""
    out = np.zeros(image.shape)
    for channel, target in zip(image.astype(np.float64), out, strict=True):
        inside = channel != 0
        if inside.any():
            target[inside] = (channel[inside] - channel[inside].mean()) / (channel[inside].std() or 1)
    return out


def brain(size, dtype=np.float32):
    """Channels of other means and spreads within an ellipse, 0 outside; the last channel is empty."""
    rng = np.random.default_rng(0)
    image = np.stack([rng.normal(*law, size) for law in ((500, 100), (-3, 0.2), (20, 400))])
    radius = sum((np.linspace(-1.2, 1.2, n) ** 2).reshape([-1 if i == axis else 1 for i in range(len(size))])
                 for axis, n in enumerate(size))  # fmt: skip
    image[:, radius > 1] = 0
    return np.concatenate([image, np.zeros((1, *size))]).astype(dtype)


@pytest.mark.parametrize("size", [(30, 40, 20), (50, 60)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12), (np.int16, 1e-5)])
def test_equals_the_reference(size, dtype, tolerance):
    image = brain(size, dtype)
    out = NormalizeNonzeroIntensityd("image", dtype=None if dtype == np.float64 else "float32")(
        {"image": torch.from_numpy(image.copy())}
    )["image"].numpy()
    assert out.dtype == (np.float64 if dtype == np.float64 else np.float32)
    assert np.abs(out - reference(image)).max() <= tolerance
    assert not out[image == 0].any()


def test_any_memory_layout():
    image = torch.from_numpy(brain((9, 8, 7))).permute(0, 3, 1, 2)
    out = NormalizeNonzeroIntensityd("image")({"image": image})["image"]
    assert np.abs(out.numpy() - reference(image.numpy())).max() <= 1e-5


@pytest.mark.parametrize("value", [0.1, -1023.7, 3e-7])
def test_a_constant_is_only_moved_to_zero(value):
    image = torch.full((1, 61, 83, 47), value)
    image[0, :5] = 0
    assert not NormalizeNonzeroIntensityd("image")({"image": image})["image"].any()


def test_one_voxel():
    assert NormalizeNonzeroIntensityd("image")({"image": torch.tensor([[[0.0, 7.0]]])})["image"].tolist() == [[[0, 0]]]


def test_the_input_and_its_metadata_stay():
    image = MetaTensor(torch.from_numpy(brain((6, 5))), affine=torch.eye(4) * 3)
    properties.write(image, {"file_name": "a.nii"})
    item, before = {"image": image, "label": torch.ones(1)}, image.clone()
    out = NormalizeNonzeroIntensityd(["image", "second"], "float64", allow_missing_keys=True)(item)
    assert torch.equal(item["image"].as_tensor(), before.as_tensor())
    assert out["image"].dtype == torch.float64
    assert properties.read(out["image"])["file_name"] == "a.nii"
    assert torch.equal(out["image"].affine, image.affine)
    assert out["label"] is item["label"]
