"""Transforms of labels, masks and channels, and those that follow the network."""

from __future__ import annotations

import json
import re
from functools import partial

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.transforms import Compose, RandomizableTrait
from scipy import special

from clara_compat.components import catalogue
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.add_extreme_points_channel import AddExtremePointsChannel
from clara_compat.components.transforms.argmax_across_channels import ArgmaxAcrossChannels
from clara_compat.components.transforms.convert_to_multi_channel_based_on_brats_classes import (
    ConvertToMultiChannelBasedOnBratsClasses,
)
from clara_compat.components.transforms.convert_to_multi_channel_based_on_label import ConvertToMultiChannelBasedOnLabel
from clara_compat.components.transforms.copy_properties import CopyProperties
from clara_compat.components.transforms.fetch_extreme_points import FetchExtremePoints
from clara_compat.components.transforms.keep_largest_cc import KeepLargestCC
from clara_compat.components.transforms.mask_image import MaskImage
from clara_compat.components.transforms.merge_batch_dims import MergeBatchDims
from clara_compat.components.transforms.native import Geometry
from clara_compat.components.transforms.process_multiclass_preds import ProcessMulticlassPreds
from clara_compat.components.transforms.replace_labels import ReplaceLabels
from clara_compat.components.transforms.split_across_channels import SplitAcrossChannels
from clara_compat.components.transforms.split_based_on_brats_classes import SplitBasedOnBratsClasses
from clara_compat.components.transforms.split_based_on_label import SplitBasedOnLabel
from clara_compat.components.transforms.threshold_values import ThresholdValues
from clara_compat.engine.transforms.replace_labels import ReplaceLabelsd
from clara_compat.errors import ClaraError

CONTEXT = BundleContext()
SIZES = [(7, 6, 5), (7, 6)]

swap = partial(ReplaceLabels, "label", [1, 2, 4], [2, 1, 3])


def swapped(x):
    return np.select([x == 1, x == 2, x == 4], [2, 1, 3], x)


LABEL_MATHS = [
    (swap(), swapped),
    (ConvertToMultiChannelBasedOnLabel("label", 6), lambda x: np.concatenate([x == i for i in range(6)])),
    (
        ConvertToMultiChannelBasedOnBratsClasses("label", ["ET", "WT"]),
        lambda x: np.concatenate([x == 4, np.isin(x, [1, 2, 4])]),
    ),
    (ThresholdValues("label", 2), lambda x: x >= 2),
    (ArgmaxAcrossChannels("label"), lambda x: x.argmax(axis=0)[np.newaxis]),
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("component", "reference"), LABEL_MATHS, ids=lambda one: type(one).__name__)
def test_maths(component, reference, size, build, oblique_affine):
    channels = 3 if isinstance(component, (ArgmaxAcrossChannels, ThresholdValues)) else 1
    x = np.random.default_rng(0).integers(0, 6, (channels, *size)).astype(np.float32)
    given = MetaTensor(torch.from_numpy(x.copy()), affine=torch.from_numpy(oblique_affine.copy()))
    out = build(component, len(size))({"label": given})["label"]
    assert out.dtype == torch.float32
    np.testing.assert_array_equal(out.numpy(), reference(x.astype(np.float64)).astype(np.float64))
    np.testing.assert_array_equal(out.affine.numpy(), oblique_affine)


TYPES = (torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.int64, torch.float16,
         torch.float32, torch.float64)  # fmt: skip


@pytest.mark.parametrize("dtype", TYPES)
def test_replaced_labels_keep_their_type(build, dtype):
    out = build(swap())({"label": torch.tensor([[[0, 1, 2, 3, 4]]], dtype=dtype)})["label"]
    assert out.dtype == dtype
    assert out.tolist() == [[[0, 2, 1, 3, 3]]]


def test_labels_that_float64_cannot_hold(build):
    """Of the image they are kept; of a config, whose numbers are float64, they are refused."""
    large = [2**53 + 1, -(2**60) - 1, 2**63 - 1, 1]
    label = MetaTensor(torch.tensor([[large]]), meta={"filename_or_obj": "a.nii"})
    out = build(ReplaceLabels("label", [1, 2], [2**53 - 1, 1]))({"label": label})["label"]
    assert out.tolist() == [[[*large[:3], 2**53 - 1]]]
    assert label.tolist() == [[large]]
    for arguments in (([2**53 + 1], [1]), ([1], [-(2**53)])):
        with pytest.raises(
            ClaraError, match=r"'(in|out)put_labels' has -?900719925474099[23], expected labels between -2\^53"
        ):
            ReplaceLabels("label", *arguments)
    engine = ReplaceLabelsd("label", [2**53 + 1, 2.0**53], [2**62 + 1, 5])
    given = torch.tensor([[2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2]])
    assert engine({"label": given})["label"].tolist() == [[2**53 - 1, 5, 2**62 + 1, 2**53 + 2]]


@pytest.mark.parametrize(
    ("dtype", "value", "fits"),
    [
        (torch.uint8, 255, True),
        (torch.uint8, 256, False),
        (torch.uint8, -1, False),
        (torch.int16, 0.5, False),
        (torch.bool, 2, False),
        (torch.bool, 0, True),
        (torch.float32, 2**24 + 1, False),
        (torch.float32, 2**24, True),
        (torch.float16, 0.1, True),
    ],
)
def test_a_new_label_that_the_type_cannot_hold(build, dtype, value, fits):
    label = MetaTensor(torch.tensor([[[0, 1]]], dtype=dtype), meta={"filename_or_obj": "a.nii"})
    [transform] = build(ReplaceLabels("label", [1], [value])).transforms
    if fits:
        out = transform({"label": label})["label"]
        assert out.dtype == dtype
        assert float(out[0, 0, 1]) == pytest.approx(value, rel=1e-3)
        return
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(
        ClaraError, match=rf"'label' holds .* type {name}, which cannot .* {value} \(a.nii\): load it as"
    ):
        transform({"label": label})


def test_a_label_beyond_the_classes(build):
    [transform] = build(ConvertToMultiChannelBasedOnLabel("label", 3)).transforms
    for value, dtype in ((3, torch.float32), (-1, torch.int16), (255, torch.uint8), (float("nan"), torch.float32)):
        label = MetaTensor(torch.tensor([[[0, value]]], dtype=dtype), meta={"filename_or_obj": "a.nii"})
        words = rf"field 'label' has the label {value}, expected whole numbers from 0 to 2 .*num_classes 3 \(a.nii\)"
        with pytest.raises(ClaraError, match=words):
            transform({"label": label})


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
def test_masked_image(build, size, channels):
    rng = np.random.default_rng(0)
    image = rng.normal(size=(3, *size)).astype(np.float32)
    mask = rng.integers(-1, 3, (channels, *size)).astype(np.float32)
    out = build(MaskImage("image", "mask"))({"image": MetaTensor(image.copy()), "mask": MetaTensor(mask)})
    np.testing.assert_array_equal(out["image"].numpy(), np.where(mask > 0, image, 0))
    np.testing.assert_array_equal(out["mask"].numpy(), mask)


def test_a_threshold_is_reached(build):
    out = build(ThresholdValues(["model"], 0.5))({"model": torch.tensor([[[0.49, 0.5, 0.51]]])})["model"]
    assert out.tolist() == [[[0, 1, 1]]]


def test_predictions_of_a_classification(build):
    logits = np.array([1.5, -2.0, 0.3])
    given = {"model": torch.from_numpy(logits)}
    whole = build(ProcessMulticlassPreds("model"))(given)["model"]
    np.testing.assert_allclose(whole.numpy(), special.softmax(logits))
    labels = build(ProcessMulticlassPreds("model", [1, 1, 1]))(given)["model"]
    np.testing.assert_allclose(labels.numpy(), special.expit(logits))
    assert ProcessMulticlassPreds("model", [1, 1, 1]).notices(CONTEXT) == []
    [said] = ProcessMulticlassPreds("model").notices(CONTEXT)
    assert re.match(r"label_format is not given, so .* in 'model' .*\(softmax\); .* such as \[1, 1, 1\]$", said)


def test_crops_of_all_items_become_one_batch(build):
    """What MergeBatchDims stands for happens in the collation; in a chain it does nothing."""
    items = [[{"image": torch.full((1, 4, 4), 10.0 * i + j)} for j in range(3)] for i in range(2)]
    chain = build(MergeBatchDims("image"))
    batch = list_data_collate([chain(item) for item in items])["image"]
    assert batch.shape == (6, 1, 4, 4)
    assert batch[:, 0, 0, 0].tolist() == [0, 1, 2, 10, 11, 12]
    assert MergeBatchDims("image").bundle_entry(CONTEXT) == []


def test_points_that_move_are_random_and_others_are_cached(build):
    still, moved = AddExtremePointsChannel("image", "label"), AddExtremePointsChannel("image", "label", permutation=2)
    module = "clara_compat.engine.transforms.extreme_points"
    expected = {"keys": "image", "label_key": "label", "sigma": 3, "rescale_min": -1.0, "rescale_max": 1.0,
                "dtype": "float32", "points_key": None}  # fmt: skip
    assert still.bundle_entry(CONTEXT) == Entry(f"{module}.AddExtremePointsd", **expected)
    assert moved.bundle_entry(CONTEXT) == Entry(f"{module}.RandAddExtremePointsd", perturbation=2, **expected)
    for component in (still, moved):
        [transform] = build(component).transforms
        assert isinstance(transform, RandomizableTrait) is not component.is_deterministic()


def test_which_are_undocumented():
    names = {"KeepLargestCC", "SplitBasedOnBratsClasses", "ConvertToMultiChannelBasedOnLabel"}
    assert {cls for cls in names if catalogue.components()[cls].undocumented is True} == names


def test_points_in_the_original_image_before_it_is_restored(build):
    """A mask resampled to twice the voxels: the points lie where the restored mask has them."""
    original = np.zeros((10, 8), np.float32)
    original[2:5, 3:7] = 1
    item = {"image": MetaTensor(torch.zeros(1, 20, 16)), "label": MetaTensor(np.kron(original, np.ones((2, 2)))[None])}
    item["image"].meta["clara"] = json.dumps({"original_shape": [10, 8], "original_shape_format": "HW"})
    points = build(FetchExtremePoints("image", "label"), 2)(item)["points"]
    assert [points[0][0], points[1][0], points[2][1], points[3][1]] == [2, 4, 3, 6]
    assert all(original[tuple(point)] for point in points)


@pytest.mark.parametrize(
    ("component", "channels", "message"),
    [
        (ConvertToMultiChannelBasedOnBratsClasses("label"), (1, 2), "'label' has 2 channels at this point, exp"),
        (ConvertToMultiChannelBasedOnLabel("label", 3), (1, 2), "'label' has 2 channels at this point, expected one"),
        (SplitBasedOnLabel("label", ["a"]), (1, 3), "'label' has 3 channels at this point, expected one channel that"),
        (SplitBasedOnBratsClasses("label"), (1, 3), "'label' has 3 channels at this point"),
        (SplitAcrossChannels("image", ["a", "b"]), (3, 1), "'channel_names' has 2 names, but field 'image' has 3 chan"),
        (MaskImage("image", "label"), (3, 2), "'label' has 2 channels and field 'image' 3: expected a mask of one"),
    ],
)  # fmt: skip
def test_headers_that_do_not_fit(component, channels, message):
    image, label = (Geometry((4, 4, 4), (1.0, 1.0, 1.0), n) for n in channels)
    with pytest.raises(ClaraError, match=message):
        component.propagate({"image": image, "label": label})
    other = {"other": image}
    assert component.propagate(other) == other


@pytest.mark.parametrize("component", [MaskImage("image", "label"), AddExtremePointsChannel("image", "label")])
def test_headers_of_other_sizes(component):
    image, label = Geometry((4, 4, 4), (1.0, 1.0, 1.0)), Geometry((4, 4, 3), (1.0, 1.0, 1.0))
    with pytest.raises(ClaraError, match=r"'label' has \[4, 4, 3\] voxels .* 'image' \[4, 4, 4\]: they must be alike"):
        component.propagate({"image": image, "label": label})
    assert component.propagate({"label": label}) == {"label": label}


def test_the_spacing_goes_with_the_affine():
    image, model = Geometry((4, 4), (1.0, 2.0)), Geometry((4, 4), (1.0, 1.0), 2)
    copied = CopyProperties("model", "image", ["affine"]).propagate({"image": image, "model": model})
    assert copied == {"image": image, "model": Geometry((4, 4), (1.0, 2.0), 2)}
    kept = {"image": image, "model": model}
    assert CopyProperties("model", "image", ["as_canonical"]).propagate(kept) == kept
    assert CopyProperties("model", "other", ["affine"]).propagate(kept) == kept
    restored = {"image": image, "model": Geometry((8, 2), (9.0, 9.0), 2), "scores": Geometry((), (), 5)}
    for name in ("affine", "spacing"):
        told = CopyProperties(["model", "scores"], "image", [name]).propagate(restored)
        assert told["model"] == Geometry((8, 2), (0.5, 4.0), 2)


@pytest.mark.real
def test_the_chains_of_real_validation_configs(build, clara_examples, oblique_affine):
    """Network output and label of every shipped config end as one mask per class in the scan's frame."""
    rng = np.random.default_rng(0)
    model, label = rng.normal(size=(3, 5, 6, 7)), rng.integers(0, 3, (1, 5, 6, 7)).astype(np.float32)
    found = 0
    for path in sorted(clara_examples.rglob("config_validation*.json")):
        config = json.loads(path.read_text())
        elements = [*config["post_transforms"], *config["label_transforms"]]
        elements = [
            one for one in elements if one["name"] in ("ArgmaxAcrossChannels", "SplitBasedOnLabel", "CopyProperties")
        ]
        known = catalogue.components()
        chain = Compose([build(known[one["name"]](**one["args"])) for one in elements])
        scan = MetaTensor(torch.zeros(1, 5, 6, 7), affine=torch.from_numpy(oblique_affine.copy()))
        out = chain({"image": scan, "model": MetaTensor(model), "label": MetaTensor(label)})
        names = [one["args"]["label_names"] for one in elements if one["name"] == "SplitBasedOnLabel"]
        for fields, expected in zip(names, (model.argmax(axis=0), label[0]), strict=True):
            for value, field in enumerate(fields):
                np.testing.assert_array_equal(out[field].numpy()[0], expected == value)
        for field in names[0]:
            np.testing.assert_array_equal(out[field].affine.numpy(), oblique_affine)
        found += 1
    assert found >= 3


@pytest.mark.real
def test_real_scan(build, clara_examples):
    scan, label = (
        np.asarray(nibabel.load(clara_examples / f"sampleData/{name}/spleen_8.nii.gz").dataobj)[::2, ::2, ::2]
        for name in ("imagesTr", "labelsTr")
    )
    item = {"image": MetaTensor(scan[None].astype(np.float32)), "label": MetaTensor(label[None].astype(np.float32))}
    chain = [ReplaceLabels("label", [1], [3]), MaskImage("image", "label"), SplitBasedOnLabel("label", list("abcd"))]
    out = Compose([build(one) for one in [*chain, KeepLargestCC("label")]])(item)
    np.testing.assert_array_equal(out["image"].numpy()[0], np.where(label > 0, scan, 0).astype(np.float64))
    assert [int(out[name].sum()) for name in "abcd"] == [np.sum(label == 0), 0, 0, np.sum(label == 1)]
    assert 0.9 * np.sum(label) < int((out["label"] == 3).sum()) <= np.sum(label)
