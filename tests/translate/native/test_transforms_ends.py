"""The ends of a chain in plain MONAI: a user's own transforms, and what a batch is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.transforms import native_chain, native_transform

BATCH = "batch_fields.BatchFields"
NIFTI = {
    "_target_": "clara_compat.engine.transforms.load_nifti.LoadNiftid",
    "keys": ["image"],
    "dtype": "float32",
    "nii_is_channels_first": False,
    "as_closest_canonical": False,
}


def _own(path: str = "mine.MyThing", **args: Any) -> dict[str, Any]:
    component = {"_target_": "clara_compat.tensorflow.loader.component", "path": path, "args": args}
    return {"_target_": "clara_compat.engine.legacy.transform.legacy_transform", "transform": component}


def test_a_users_own_is_left_out() -> None:
    native = native_transform(_own(fields="image"), NativeContext())
    assert native.entries == []
    assert native.difference == (
        "'mine.MyThing' is your own and is left out: port it to a MONAI MapTransform (clara-compat lint says how) "
        "and put it in its place"
    )


@pytest.mark.parametrize(
    ("chain", "loaded"),
    [
        ([_own(fields=["image", "label"]), _own(fields="image")], [["image", "label"], None]),
        ([_own()], [["image", "label"]]),
        ([NIFTI, _own(fields=["label"]), _own(fields=["label"])], [["image"], ["label"], None]),
        ([_own(image_field="image"), _own(field="label")], [["image"], ["label"]]),
        ([_own(fields="other"), _own(fields=["image", "label"])], [None, ["image", "label"]]),
        ([{**NIFTI, "keys": ["image", "label"]}, _own(fields="image")], [["image", "label"], None]),
    ],
)
def test_a_users_own_loader_is_replaced_where_nothing_else_loads(chain, loaded):
    natives = native_chain(chain, NativeContext(), ("image", "label"))
    found = [[one["keys"] for one in native.entries] for native in natives]
    assert found == [[] if keys is None else [keys] for keys in loaded]
    assert all(entry["ensure_channel_first"] for native in natives for entry in native.entries)


def test_a_label_that_is_made_needs_no_loader():
    split = {"_target_": "clara_compat.engine.transforms.label_groups.SplitLabelGroupsd", "key": "image"}
    split |= {"groups": [[1]], "output_keys": ["label"]}
    natives = native_chain([NIFTI, split, _own(fields=["image", "label"])], NativeContext(), ("image", "label"))
    assert natives[2].entries == []


@pytest.mark.parametrize(("layout", "axis"), [("DHWC", -1), ("CDHW", 0), ("DHW", None), ("whatever", None), (3, None)])
def test_the_layout_of_a_users_own_loader(layout, axis, plain, tmp_path):
    [native] = native_chain([_own(fields="image", shape=layout)], NativeContext(), ("image",))
    assert native.entries[0].get("channel_dim") == axis
    assert "nothing else loads image, LoadImaged stands in its place" in native.difference
    if isinstance(layout, str) and layout != "whatever":
        np.save(tmp_path / "a.npy", np.zeros([{"C": 2}.get(letter, 5) for letter in layout]))
        image = plain([native])({"image": str(tmp_path / "a.npy")})["image"]
        assert image.shape == (2 if "C" in layout else 1, 5, 5, 5)


def _image(channels: int = 1, dtype: torch.dtype = torch.float32) -> MetaTensor:
    return MetaTensor(torch.arange(channels * 8).reshape(channels, 2, 2, 2).to(dtype))


@pytest.mark.parametrize("track", [False, True])
def test_images_and_labels(pair, close, track):
    exact, native, plain = pair(BATCH, track_meta=track, image_channels=1, label_channels=1)
    item = {"image": _image(dtype=torch.int16), "label": _image(), "path": "a.nii", "points": [[1, 2], [3]]}
    expected, found = exact(item), plain(item)
    assert list(found) == list(expected)
    for field in found:
        assert type(found[field]) is type(expected[field])
        close(found[field], expected[field])
    assert native.difference.startswith("channels and shapes are not checked")
    assert list_data_collate([found, found])["image"].shape == (2, 1, 2, 2, 2)


@pytest.mark.parametrize("track", [False, True])
@pytest.mark.parametrize("label", [1, 0.5, [0, 1, 1], np.array([2, 3]), [1]])
def test_class_labels(pair, close, track, label):
    exact, _, plain = pair(BATCH, track_meta=track, image_channels=1, labels=0)
    item = {"image": _image(), "label": label, "path": "a.png"}
    expected, found = exact(item), plain(item)
    assert type(found["label"]) is torch.Tensor
    close(found["label"], expected["label"])
    assert list_data_collate([found, found])["label"].shape == (2, len(expected["label"]))


def test_further_inputs_and_fields_of_metrics(pair, close):
    extra = [
        {"name": "age", "data_key": "patient_age", "dtype": "float32", "shape": None},
        {"name": "codes", "data_key": "codes", "dtype": "int64", "shape": [3]},
    ]
    exact, _, plain = pair(BATCH, track_meta=False, image_channels=1, extra_inputs=extra, carried=["weight", "absent"])
    item = {"image": _image(), "label": _image(), "patient_age": 61.5, "codes": [1, 2, 3], "weight": _image(2)}
    expected, found = exact(item), plain(item)
    assert set(found) == set(expected)
    for field in found:
        assert type(found[field]) is type(expected[field])
        close(found[field], expected[field])
