"""What is foreground in a label of several channels."""

from __future__ import annotations

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.engine.transforms._fields import foreground, without_background
from clara_compat.engine.transforms.crop_foreground_resized import CropForegroundResized
from clara_compat.engine.transforms.crop_pos_neg_roi import RandCropPosNegROId

TUMOUR = (slice(8, 11), slice(3, 6), slice(12, 15))


def one_hot() -> torch.Tensor:
    label = torch.zeros(2, 20, 20, 20)
    label[0] = 1
    label[(0, *TUMOUR)], label[(1, *TUMOUR)] = 0, 1
    return label


def test_the_first_channel_of_a_one_hot_label_is_background() -> None:
    assert int(foreground(one_hot()).sum()) == 27
    assert without_background(one_hot()[1:]).shape == (1, 20, 20, 20)


def test_regions_that_overlap_are_all_foreground() -> None:
    """TC, WT and ET of BraTS: the first channel is no background."""
    regions = torch.zeros(3, 20, 20, 20)
    regions[0, 5:9, 5:9, 5:9] = 1
    regions[1, 4:10, 4:10, 4:10] = 1
    assert int(foreground(regions).sum()) == 6**3
    assert len(without_background(regions)) == 3


def test_crops_are_centred_on_the_tumour_of_a_one_hot_label() -> None:
    item = {"image": MetaTensor(torch.rand(1, 20, 20, 20)), "label": MetaTensor(one_hot())}
    crop = RandCropPosNegROId(["image"], "label", [5, 5, 5], pos=1, neg=0, num_samples=100).set_random_state(0)
    assert all(float(one["label"][1, 2, 2, 2]) == 1 for one in crop(item))
    box = CropForegroundResized(["image"], "label", [3, 3, 3])(item)
    np.testing.assert_array_equal(box["label"][1].numpy(), np.ones((3, 3, 3)))
