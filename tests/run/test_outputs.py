"""What a bundle says of its network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clara_compat.components.entry import BundleContext
from clara_compat.components.models._common import BuiltInModel
from clara_compat.components.models.alexnet import Alexnet
from clara_compat.components.models.densenet121 import DenseNet121
from clara_compat.components.models.seg_ahnet import SegAhnet
from clara_compat.components.models.seg_resnet import SegResnet
from clara_compat.run.outputs import write_bundle
from clara_compat.translate.render import render


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (SegResnet(3), ("image", "segmentation", 3, ["*", "*"], [0, 1])),
        (SegAhnet(2, final_activation="linear"), ("image", "segmentation", 2, ["*", "*"], [])),
        (Alexnet(4), ("probabilities", "classification", 4, [], [0, 1])),
        (DenseNet121(15, final_activation="sigmoid"), ("probabilities", "classification", 15, [], [0, 1])),
    ],
)
def test_metadata(tmp_path: Path, model: BuiltInModel, expected: tuple[object, ...]) -> None:
    context = BundleContext(spatial_dims=2, in_channels=3)
    write_bundle(tmp_path, {"network_def": render(model.bundle_entry(context))})
    data_format = json.loads((tmp_path / "configs" / "metadata.json").read_text())["network_data_format"]
    image, pred = data_format["inputs"]["image"], data_format["outputs"]["pred"]
    assert (image["num_channels"], image["spatial_shape"]) == (3, ["*", "*"])
    assert tuple(pred[k] for k in ("type", "format", "num_channels", "spatial_shape", "value_range")) == expected
    assert image["is_patch_data"] == pred["is_patch_data"] == (expected[1] == "segmentation")
    assert len(pred["channel_def"]) == expected[2]
