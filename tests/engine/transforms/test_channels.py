from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties
from clara_compat.engine.legacy.views import to_medical_image
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


def test_images_without_a_label_have_a_channel_axis_already():
    plain = {"image": torch.rand(1, 4, 4), "label": MetaTensor(torch.rand(1, 4, 4))}
    out = LabelChannelsd(["image", "label"])(plain)
    assert out["image"] is plain["image"]
    assert out["label"] is plain["label"]


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 6)])
@pytest.mark.parametrize("kind", [torch.Tensor, MetaTensor])
def test_a_models_output_gets_a_label(shape, kind):
    """It has none yet; user code behind this sees it as the label says."""
    output = torch.rand(shape) if kind is torch.Tensor else MetaTensor(torch.rand(shape), affine=torch.eye(4) * 2)
    spatial = "HW" if len(shape) == 3 else "DHW"
    for transform, layout in ((ConvertToChannelsFirstd, f"C{spatial}"), (ConvertToChannelsLastd, f"{spatial}C")):
        out = transform("model")({"model": output})["model"]
        assert type(out) is MetaTensor
        assert properties.read(out)["shape_format"] == layout
        seen = to_medical_image(out)
        assert seen.get_shape_format() == layout
        assert seen.get_data().shape == (shape if layout[0] == "C" else (*shape[1:], shape[0]))
        assert "clara" not in getattr(output, "meta", {})
        assert kind is torch.Tensor or torch.equal(out.affine, output.affine)


@pytest.mark.parametrize("transform", [ConvertToChannelsFirstd, ConvertToChannelsLastd])
def test_what_is_no_image_passes(transform):
    item = {"scores": torch.rand(4)}
    assert transform("scores")(item)["scores"] is item["scores"]
