from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties
from clara_compat.engine.transforms.channels import ConvertToChannelsFirstd


@pytest.mark.parametrize(
    ("before", "after"),
    [("DHW", "CDHW"), ("DHWC", "CDHW"), ("CDHW", "CDHW"), ("HW", "CHW"), ("HWC", "CHW"), ("CHW", "CHW")],
)
def test_only_the_label_changes(before, after):
    image = MetaTensor(torch.rand(1, 4, 4, 4)[..., : 4 if "D" in before else 1].squeeze(-1), affine=torch.eye(4) * 2)
    properties.write(image, {"shape_format": before, "file_name": "a.nii"})
    out = ConvertToChannelsFirstd("image")({"image": image, "other": 1})
    assert properties.read(out["image"]) == {**properties.read(image), "shape_format": after}
    assert properties.read(image)["shape_format"] == before
    assert out["image"].data_ptr() == image.data_ptr()
    assert torch.equal(out["image"].affine, image.affine)
    assert out["other"] == 1


def test_images_without_a_label_pass():
    plain = {"image": torch.rand(1, 4, 4), "label": MetaTensor(torch.rand(1, 4, 4))}
    out = ConvertToChannelsFirstd(["image", "label"])(plain)
    assert out["image"] is plain["image"]
    assert out["label"] is plain["label"]
