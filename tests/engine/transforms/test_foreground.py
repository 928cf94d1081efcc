"""What is foreground in a label of several channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine.transforms._fields import foreground, is_one_hot
from clara_compat.engine.transforms.crop_foreground_resized import CropForegroundResized
from clara_compat.engine.transforms.crop_pos_neg_roi import RandCropPosNegROId
from clara_compat.engine.transforms.extreme_points import AddExtremePointsd
from clara_compat.engine.transforms.resize import ResizeByFactord

TUMOUR = (slice(8, 11), slice(3, 6), slice(12, 15))


def one_hot(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    label = torch.zeros(3, 20, 20, 20, dtype=dtype)
    label[0] = 1
    label[(0, *TUMOUR)], label[(2, *TUMOUR)] = 0, 1
    return label


def regions() -> torch.Tensor:
    """TC, WT and ET of BraTS."""
    label = torch.zeros(3, 20, 20, 20)
    label[0, 5:9, 5:9, 5:9] = 1
    label[1, 4:10, 4:10, 4:10] = 1
    return label


def marked(label: torch.Tensor) -> np.ndarray:
    values = foreground(label)
    np.testing.assert_array_equal(foreground(label.numpy()), values.numpy())
    return np.argwhere(values.numpy())


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8, torch.int64, torch.bool])
def test_the_first_channel_of_a_one_hot_label_is_background(dtype: torch.dtype) -> None:
    voxels = marked(one_hot(dtype))
    assert len(voxels) == 27
    assert (voxels >= [8, 3, 12]).all()
    assert (voxels <= [10, 5, 14]).all()


def test_regions_that_overlap_are_all_foreground() -> None:
    assert len(marked(regions())) == 6**3
    almost = one_hot()
    almost[1, 19, 19, 19] = 1  # a single voxel with two labels
    assert len(marked(almost)) == 20**3


def test_a_channel_alone_is_no_background() -> None:
    assert foreground(torch.ones(1, 4, 4)).all()
    assert not is_one_hot(torch.ones(1, 4, 4))


@pytest.mark.parametrize("num_samples", [None, 100])
def test_crops_are_centred_on_the_tumour_of_a_one_hot_label(num_samples: int | None) -> None:
    item = {"image": MetaTensor(torch.rand(1, 20, 20, 20)), "label": MetaTensor(one_hot())}
    crop = RandCropPosNegROId("image", "label", [3, 3, 3], pos=1, neg=0, num_samples=num_samples).set_random_state(0)
    crops = crop(item) if num_samples else [crop(item) for _ in range(100)]
    assert all(one["label"][2, 1, 1, 1] == 1 for one in crops)
    assert len({tuple(one["image"].flatten().tolist()) for one in crops}) > 20
    away = RandCropPosNegROId("image", "label", [3, 3, 3], pos=0, num_samples=500).set_random_state(0)(item)
    # near the border a region is shifted; elsewhere its centre is no tumour
    assert sum(float(one["label"][2, 1, 1, 1]) for one in away) == 0


def test_crops_of_overlapping_regions() -> None:
    item = {"image": MetaTensor(torch.rand(1, 20, 20, 20)), "label": MetaTensor(regions())}
    crops = RandCropPosNegROId("image", "label", [3, 3, 3], neg=0, num_samples=200).set_random_state(0)(item)
    assert all(one["label"][1, 1, 1, 1] == 1 for one in crops)
    assert {float(one["label"][0, 1, 1, 1]) for one in crops} == {0.0, 1.0}


def test_a_rare_tumour_is_found_by_the_search() -> None:
    label = torch.zeros(2, 60, 50, 43)
    label[0, :, :, :30] = 1  # channels that leave voxels out
    label[1, 7, 8, 40] = 1
    nothing = label.clone()
    nothing[0, :, :, 30:], nothing[0, 7, 8, 40] = 1, 0
    for made, size in ((label, 60 * 50 * 30 + 1), (nothing, 1)):
        assert int(foreground(made).sum()) == size
        item = {"image": MetaTensor(torch.rand(1, 60, 50, 43)), "label": MetaTensor(made)}
        crops = RandCropPosNegROId("image", "label", [1, 1, 1], neg=0, num_samples=20).set_random_state(0)(item)
        assert all(one["label"].any() for one in crops)
        assert all(bool(one["label"][1]) for one in crops) is (size == 1)


def test_the_search_judges_the_label_as_a_whole() -> None:
    """The voxels of one slab sum to 1, those of the others do not: its first channel is no background."""
    label = torch.zeros(2, 5, 6, 7)  # so few voxels are not probed
    label[0, 2] = 1
    item = {"image": MetaTensor(torch.rand(1, 5, 6, 7)), "label": MetaTensor(label)}
    crops = RandCropPosNegROId("image", "label", [1, 1, 1], neg=0, num_samples=50).set_random_state(0)(item)
    assert all(one["label"][0] == 1 for one in crops)


def test_an_interpolated_one_hot_label_is_still_one() -> None:
    """Rounding leaves its sums near 1."""
    classes = torch.from_numpy(np.random.default_rng(0).integers(0, 4, (9, 9, 9)))
    classes[:5] = 0
    smaller = ResizeByFactord("label", 0.77)({"label": torch.eye(4)[classes].movedim(-1, 0)})["label"]
    assert (smaller.sum(dim=0) != 1).any()
    np.testing.assert_array_equal(foreground(smaller), (smaller[1:] > 0).any(dim=0))
    assert not foreground(smaller)[:3].any()


def test_boxes_and_points() -> None:
    item = {"image": MetaTensor(torch.rand(1, 20, 20, 20)), "label": MetaTensor(one_hot())}
    box = CropForegroundResized("image", "label", [3, 3, 3])(item)
    np.testing.assert_array_equal(box["label"][2].numpy(), np.ones((3, 3, 3)))
    bright = AddExtremePointsd("image", "label", sigma=0.1)(item)["image"][1] > 0
    assert {tuple(at) for at in np.argwhere(bright.numpy()).tolist()} == {
        (8, 4, 13), (10, 4, 13), (9, 3, 13), (9, 5, 13), (9, 4, 12), (9, 4, 14)}  # fmt: skip
