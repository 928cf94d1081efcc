from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties
from clara_compat.engine.transforms.channels import ConvertToChannelsFirstd, ConvertToChannelsLastd, LabelChannelsd

# what legacy code is shown before, and after each of the three
LAYOUTS = {
    "DHW": ("CDHW", "DHWC", "CDHW"),
    "DHWC": ("CDHW", "DHWC", "DHWC"),
    "CDHW": ("CDHW", "DHWC", "CDHW"),
    "HW": ("CHW", "HWC", "CHW"),
    "HWC": ("CHW", "HWC", "HWC"),
    "CHW": ("CHW", "HWC", "CHW"),
}
CASES = [
    (transform, before, after)
    for before, row in LAYOUTS.items()
    for transform, after in zip((ConvertToChannelsFirstd, ConvertToChannelsLastd, LabelChannelsd), row, strict=True)
]


@pytest.mark.parametrize(("transform", "before", "after"), CASES)
def test_only_the_label_changes(transform, before, after):
    image = MetaTensor(torch.rand(1, *[4] * (3 if "D" in before else 2)), affine=torch.eye(4) * 2)
    properties.write(image, {"shape_format": before, "file_name": "a.nii"})
    out = transform("image")({"image": image, "other": 1})
    assert properties.read(out["image"]) == {**properties.read(image), "shape_format": after}
    assert properties.read(image)["shape_format"] == before
    assert out["image"].data_ptr() == image.data_ptr()
    assert torch.equal(out["image"].affine, image.affine)
    assert out["other"] == 1
    again = transform("image")(out)["image"]
    assert again is out["image"]


@pytest.mark.parametrize("transform", [ConvertToChannelsFirstd, ConvertToChannelsLastd, LabelChannelsd])
def test_images_without_a_label_pass(transform):
    plain = {"image": torch.rand(1, 4, 4), "label": MetaTensor(torch.rand(1, 4, 4))}
    out = transform(["image", "label"])(plain)
    assert out["image"] is plain["image"]
    assert out["label"] is plain["label"]
