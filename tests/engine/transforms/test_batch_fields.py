"""What a batch is made of, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine.transforms.batch_fields import BatchFields
from clara_compat.errors import ClaraError

ITEM = {"image": MetaTensor(torch.ones(2, 4, 4, dtype=torch.float64)), "label": MetaTensor(torch.ones(1, 4, 4))}


def test_image_and_label_and_nothing_else() -> None:
    out = BatchFields(track_meta=False)({**ITEM, "points": [[1, 2]], "other": "text"})
    assert list(out) == ["image", "label"]
    assert (type(out["image"]), out["image"].dtype) == (torch.Tensor, torch.float32)
    assert type(BatchFields(track_meta=True)(ITEM)["image"]) is MetaTensor


@pytest.mark.parametrize(
    ("label", "vector"), [(1, [1.0]), ([0, 1, 2], [0.0, 1.0, 2.0]), (np.array([[3, 4]]), [3.0, 4.0]), (True, [1.0])]
)
def test_class_labels(label: Any, vector: list[float]) -> None:
    assert BatchFields(track_meta=False, labels=0)({**ITEM, "label": label})["label"].tolist() == vector


@pytest.mark.parametrize(
    ("options", "change", "message"),
    [
        ({}, {"label": "a.nii"}, "the field 'label' is a str, not an image: load it, and keep it"),
        ({}, {"image": None}, "the field 'image' is a NoneType"),
        ({"image_channels": 1}, {}, "'image' has 2 channels, but output_image_channels of the image pipeline is 1"),
        ({"label_channels": 2}, {}, "'label' has 1 channels, but output_label_channels"),
        ({"labels": 0}, {"label": "a.nii"}, "the label of a classification item is 'a.nii', expected a number"),
        ({"labels": 3}, {"label": [1, 2]}, r"the label \[1, 2\] has 2 numbers, but output_label_format describes 3"),
    ],
)
def test_what_is_refused(options: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        BatchFields(track_meta=False, **options)({**ITEM, **change})


def extra(**change: Any) -> dict[str, Any]:
    return {"name": "age", "data_key": "years", "dtype": "float32", "shape": [None], **change}


def test_further_inputs() -> None:
    fields = BatchFields(
        track_meta=False, extra_inputs=[extra(), extra(name="map", data_key="image", shape=[-1, 4, 4])]
    )
    out = fields({**ITEM, "years": [61]})
    assert out["age"].tolist() == [61.0]
    assert type(out["map"]) is torch.Tensor
    assert out["map"].shape == (2, 4, 4)


@pytest.mark.parametrize(
    ("change", "item", "message"),
    [
        ({}, {}, "the extra input 'age' comes from the field 'years', which is not there"),
        ({}, {"years": "old"}, "the field 'years' of an item is 'old', expected numbers"),
        ({"shape": [2]}, {"years": [1, 2, 3]}, r"has the shape \(3,\), declared is \[2\]"),
        ({"shape": [1, 1]}, {"years": [1]}, r"has the shape \(1,\), declared is \[1, 1\]"),
    ],
)
def test_further_inputs_that_do_not_fit(change: dict[str, Any], item: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        BatchFields(track_meta=False, extra_inputs=[extra(**change)])({**ITEM, **item})


def test_fields_that_metrics_read_stay_where_an_item_has_them() -> None:
    fields = BatchFields(track_meta=True, carried=["weight", "map", "negloss"])
    out = fields({**ITEM, "weight": 0.25, "map": ITEM["image"].to(torch.int16), "other": "name"})
    assert list(out) == ["image", "label", "weight", "map"]
    assert (out["weight"].item(), out["map"].dtype, type(out["map"])) == (0.25, torch.float32, torch.Tensor)
    with pytest.raises(ClaraError, match=r"the field 'weight' of an item is 'a\.nii', expected numbers"):
        fields({**ITEM, "weight": "a.nii"})
