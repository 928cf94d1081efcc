from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.common.resampling import resampled_size
from clara_compat.engine import properties
from clara_compat.engine.transforms.load_nifti import LoadNiftid
from clara_compat.engine.transforms.resize_to_spacing import ResizeToSpacingd
from clara_compat.errors import ClaraError


@pytest.mark.parametrize(
    ("size", "spacing", "target", "expected"),
    [
        ((512, 512, 32), (0.785156, 0.785156, 7.5), (1, 1, 1), (402, 402, 240)),
        ((5, 7, 9), (0.5, 0.5, 0.5), (1, 1, 1), (2, 4, 4)),  # 2.5, 3.5, 4.5: half to even
        ((5, 7, 9), (0.49999997, 0.50000003, 0.5), (1, 1, 1), (2, 4, 4)),  # as two headers may say it
        ((3, 10), (0.1, 1.0), (5, 3), (1, 3)),
    ],
)
def test_new_size(size, spacing, target, expected):
    assert resampled_size(size, spacing, target) == expected


@pytest.mark.real
def test_the_real_scan_equals_an_independent_reference(clara_examples):
    folder = clara_examples / "sampleData"
    item = LoadNiftid(["image", "label"])({
        "image": str(folder / "imagesTr/spleen_8.nii.gz"), "label": str(folder / "labelsTr/spleen_8.nii.gz")
    })  # fmt: skip
    scan, mask = item["image"].numpy()[0], item["label"].numpy()[0]
    out = ResizeToSpacingd(["image", "label"], [1.0, 1.0, 1.0], ["linear", "nearest-exact"])(item)
    assert scan.shape == (512, 512, 32)
    size = (402, 402, 240)
    assert out["image"].shape == out["label"].shape == (1, *size)

    reference = scan.astype(np.float64)
    for axis, (n, m) in enumerate(zip(scan.shape, size, strict=True)):
        centres = (np.arange(m) + 0.5) * n / m - 0.5
        weights = np.stack([np.interp(centres, np.arange(n), one) for one in np.eye(n)], axis=1)
        reference = np.moveaxis(np.tensordot(weights, reference, axes=(1, axis)), 0, axis)
    assert np.abs(out["image"].numpy()[0] - reference).max() < 1e-5 * np.ptp(scan)

    index = [[floor((i + Fraction(1, 2)) * n / m) for i in range(m)] for n, m in zip(scan.shape, size, strict=True)]
    np.testing.assert_array_equal(out["label"].numpy()[0], mask[np.ix_(*index)])
    assert out["label"].sum() > 100_000

    for field in ("image", "label"):
        known = properties.read(out[field])
        assert known["spacing"] == pytest.approx((0.785156 * 512 / 402, 0.785156 * 512 / 402, 1.0), rel=1e-6)
        assert known["original_shape"] == (512, 512, 32)
        assert known["original_affine"][0, 0] == pytest.approx(-0.785156)


@pytest.mark.parametrize("size", [(10, 12, 8), (10, 12)])
@pytest.mark.parametrize("mode", ["linear", "nearest-exact"])
def test_a_place_keeps_its_millimetres(world_image, world, size, mode):
    image = world_image(size)
    out = ResizeToSpacingd("image", [1.0, 2.0, 1.6][: len(size)], mode)({"image": image})["image"]
    new = tuple(out.shape[1:])
    assert new == (8, 9, 20)[: len(size)]  # of 0.8 x 1.5 x 4 mm
    expected = world(out.affine.numpy(), new)
    inside = (slice(None), *(slice(3, -3),) * len(size))  # at the border the outermost voxels continue
    error = np.abs(out.numpy() - expected)[inside].max()
    assert error < (1e-5 if mode == "linear" else 0.5 * 6.3)  # nearest: within half of the old voxel's diagonal
    # both grids cover the same extent: the outer corners of the first and last voxel are the same points
    for corner_new, corner_old in ((-0.5, -0.5), (np.array(new) - 0.5, np.array(size) - 0.5)):
        points = [
            affine[:3, : len(size)] @ (np.zeros(len(size)) + corner) + affine[:3, 3]
            for affine, corner in ((out.affine.numpy(), corner_new), (image.affine.numpy(), corner_old))
        ]
        np.testing.assert_allclose(*points, atol=1e-9)


def test_image_and_label_stay_aligned(world_image):
    """A label that is a function of place is the same function of the resampled image, but for its border."""
    places = world_image((40, 30, 20))
    ball = ((places - places.mean(dim=(1, 2, 3), keepdim=True)) ** 2).sum(0, keepdim=True).sqrt()
    item = {"image": ball, "label": (ball < 12).float()}
    out = ResizeToSpacingd(["image", "label"], [1.0, 1.0, 1.0], ["linear", "nearest-exact"])(item)
    assert torch.equal(out["image"].affine, out["label"].affine)
    away = (out["image"] - 12).abs() > 2.2  # half the diagonal of an old voxel
    assert torch.equal(out["label"][away] > 0, out["image"][away] < 12)


class TestSpacingSource:
    def test_the_property_wins(self):
        image = MetaTensor(torch.rand(1, 10, 10, 10))  # as from a user's loader: no affine, but a spacing
        properties.write(image, {"spacing": [2.0, 1.0, 0.5]})
        out = ResizeToSpacingd("image", [1.0, 1.0, 1.0])({"image": image})["image"]
        assert out.shape == (1, 20, 10, 5)
        assert properties.read(out)["spacing"] == (1.0, 1.0, 1.0)

    def test_the_affine_otherwise(self):
        image = MetaTensor(torch.rand(1, 10, 10, 10), affine=torch.diag(torch.tensor([2.0, 1.0, 0.5, 1.0])))
        out = ResizeToSpacingd("image", [1.0, 1.0, 1.0])({"image": image})["image"]
        assert out.shape == (1, 20, 10, 5)
        assert out.pixdim.tolist() == [1.0, 1.0, 1.0]
        assert properties.KEY not in out.meta

    def test_nothing_to_do(self):
        image = MetaTensor(torch.rand(1, 4, 4, 4))
        assert ResizeToSpacingd("image", [1.0, 1.0, 1.0])({"image": image})["image"] is image


def scan(spacing):
    image = MetaTensor(torch.rand(1, 4, 4, 4), meta={"filename_or_obj": "case.nii"})
    properties.write(image, {"spacing": spacing})
    return {"image": image}


@pytest.mark.parametrize("spacing", [(1.0, 0.0, 1.0), (1.0, -2.0, 1.0), (1.0, float("nan"), 1.0), (1.0, 1.0)])
def test_a_spacing_that_is_none(spacing):
    with pytest.raises(ClaraError, match=r"'image' has the spacing .*expected 3 positive numbers \(case.nii\)"):
        ResizeToSpacingd("image", [2.0, 2.0, 2.0])(scan(spacing))


def test_wrong_arguments():
    with pytest.raises(ClaraError, match=r"\[1.0, 1.0\] has 2 numbers, but field 'image' has 3 .*case.nii"):
        ResizeToSpacingd("image", [1.0, 1.0])(scan((1.0, 1.0, 2.0)))
    with pytest.raises(ClaraError, match=r"positive numbers of mm, got"):
        ResizeToSpacingd("image", [1.0, 0.0, 1.0])
    with pytest.raises(ClaraError, match=r"unknown interpolation .*cubic"):
        ResizeToSpacingd("image", [1.0], "cubic")
    with pytest.raises(ClaraError, match=r"'image' is a Tensor without metadata"):
        ResizeToSpacingd("image", [1.0, 1.0])({"image": torch.zeros(1, 2, 2)})
