"""Labels, channels and predictions in plain MONAI."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

AFFINE = torch.tensor([[0.0, 0, 3, 5], [0, -2, 0, 7], [1, 0, 0, -4], [0, 0, 0, 1]], dtype=torch.float64)
"""The file's axes are up, backwards and right, so a loader turns it."""


def _label(rank=3, values=(1, 2, 4)):
    label = torch.zeros(1, *(9, 10, 11)[:rank])
    for number, value in enumerate(values):
        label[(0, *(slice(1 + number, 8 - number) for _ in range(rank)))] = value
    return MetaTensor(label, affine=AFFINE)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("groups", [[[1, 4], [1, 2, 4], [4]], [[4], [1, 4]], [[2]], [[7]]])
def test_groups_of_labels(pair, close, rank, groups):
    exact, native, plain = pair("label_groups.LabelGroupsToChannelsd", rank, keys=["label"], groups=groups)
    item = {"label": _label(rank)}
    close(plain(item)["label"], exact(item)["label"])
    assert native.difference == ""


def test_brats_has_a_transform_of_its_own_for_volumes(pair):
    arguments = {"keys": ["label"], "groups": [[1, 4], [1, 2, 4], [4]]}
    assert [entry["_target_"] for entry in pair("label_groups.LabelGroupsToChannelsd", **arguments).native.entries] == [
        "ConvertToMultiChannelBasedOnBratsClassesd",
        "CastToTyped",
    ]


@pytest.mark.parametrize("names", [["a", "b", "c"], ["with space", "a@b", "x#y"]])
def test_fields_of_groups_keep_the_source(pair, close, names):
    """Also under names that mean something to ``ConfigParser``."""
    groups = [[0], [1, 4], [2]]
    exact, _, plain = pair("label_groups.SplitLabelGroupsd", key="label", groups=groups, output_keys=names)
    item = {"label": _label()}
    expected, found = exact(item), plain(item)
    assert list(found) == ["label", *names]
    for name in found:
        close(found[name], expected[name])


def test_fields_of_channels_are_copies(pair):
    plain = pair("split_channels.SplitChannelsd", key="image", output_keys=["t1", "t2"]).plain
    image = MetaTensor(torch.arange(16.0).reshape(2, 2, 2, 2))
    found = plain({"image": image})
    found["t2"][0, 0, 0, 0] = -1
    assert torch.equal(image, torch.arange(16.0).reshape(2, 2, 2, 2))
    assert torch.equal(found["t1"].as_tensor(), image[:1].as_tensor())


@pytest.mark.parametrize("softmax", [True, False])
@pytest.mark.parametrize("sigmoid", [True, False])
@pytest.mark.parametrize(
    ("sizes", "outputs"), [(None, 1), (None, 3), ([1], 1), ([1, 1, 1], 3), ([3], 3), ([1, 3], 4), ([2, 2], 4)]
)
def test_activations(pair, close, sizes, outputs, sigmoid, softmax):
    arguments = {"classes_per_label": sizes, "sigmoid": sigmoid, "softmax": softmax}
    exact, native, plain = pair("activate_predictions.ActivatePredictionsd", keys="model", **arguments)
    for shape in [(outputs,), (outputs, 3, 4, 5)]:
        item = {"model": MetaTensor(torch.randn(shape, generator=torch.Generator().manual_seed(1)))}
        close(plain(item)["model"], exact(item)["model"])
    assert native.difference == ""


@pytest.mark.parametrize("rank", [2, 3])
def test_the_largest_object_of_each_channel(pair, close, rank):
    exact, native, plain = pair("keep_largest_component.KeepLargestComponentd", rank, keys=["label"])
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 9, (3, *(12, 13, 14)[:rank])) * (rng.random((3, *(12, 13, 14)[:rank])) < 0.2)
    label = torch.from_numpy(noise.astype(np.float32))
    label[2] = 0  # a channel without an object
    item = {"label": MetaTensor(label, affine=AFFINE)}
    close(plain(item)["label"], exact(item)["label"])
    assert 0 < int((plain(item)["label"] > 0).sum()) < int((label > 0).sum())
    assert native.difference == ""


def test_labels_change_places(pair):
    _, native, plain = pair("replace_labels.ReplaceLabelsd", keys=["label"], orig_labels=[1, 2], target_labels=[2, 1])
    found = plain({"label": torch.tensor([[[0, 1], [2, 4]]], dtype=torch.uint8)})["label"]
    assert found.tolist() == [[[0, 2], [1, 4]]]
    assert found.dtype == torch.float32
    assert native.difference == "labels of other types become float32"


@pytest.mark.parametrize("size", [(9, 10, 11), (5, 20, 11)])
def test_the_affine_is_copied_for_the_grid_of_its_target(pair, close, size):
    arguments = {"source_key": "image", "properties": ["affine", "original_affine"]}
    exact, native, plain = pair("copy_properties.CopyPropertiesd", keys=["model"], **arguments)
    item = {"image": _label(), "model": MetaTensor(torch.ones(2, *size))}
    item["image"].meta["clara"] = '{"original_affine": [1, 2]}'
    close(plain(item)["model"], exact(item)["model"])
    assert native.difference == ""


@pytest.mark.parametrize(("names", "said"), [(["spacing"], "the spacing is not copied"), (["original_shape"], "")])
def test_other_properties_mean_nothing_there(pair, names, said):
    arguments = {"source_key": "image", "properties": names}
    native = pair("copy_properties.CopyPropertiesd", keys=["model"], **arguments).native
    assert native.entries == []
    assert native.difference[:25] == said


@pytest.mark.parametrize("turned", [False, True])
def test_points_in_voxels_of_the_file(pair, chain, turned):
    """Of a label whose extreme voxels are unique: known in the file's voxels, found after a turn and a resize."""
    points = [[1, 4, 5], [7, 5, 4], [4, 1, 6], [5, 8, 5], [3, 4, 1], [4, 5, 9]]
    label = torch.zeros(1, 9, 10, 11)
    for point in points:
        label[(0, *point)] = 1
    fields = {name: MetaTensor(label.clone(), affine=AFFINE) for name in ("image", "label")}
    for field in fields.values():
        field.meta["original_affine"] = AFFINE.numpy()
    if turned:
        fields = chain([{"_target_": "Orientationd", "keys": ["image", "label"], "axcodes": "RAS"}])(fields)
    plain = pair(
        "extreme_points.FetchExtremePointsd", image_key="image", label_key="label", points_key="found here"
    ).plain
    found = plain(fields)["found here"]
    assert sorted(found) == sorted(points)
    assert (found == points) is not turned  # in the order of the chain's axes


def test_a_mask_without_points(pair):
    plain = pair("extreme_points.FetchExtremePointsd", image_key="image", label_key="label", points_key="points").plain
    assert plain({"image": _label(), "label": _label(values=())})["points"] == []


@pytest.mark.parametrize("perturbation", [None, 4.0])
def test_extreme_points_as_a_channel(pair, close, perturbation):
    """Equal to ours where every extreme voxel is unique."""
    label = torch.zeros(1, 20, 21, 22)
    for point in [(3, 9, 9), (16, 9, 9), (9, 3, 9), (9, 17, 9), (9, 9, 3), (9, 9, 18)]:
        label[(0, *point)] = 1
    item = {"image": MetaTensor(torch.rand(2, 20, 21, 22)), "label": MetaTensor(label)}
    arguments = {"keys": "image", "label_key": "label", "sigma": 2.0, "rescale_min": -1.0, "rescale_max": 1.0}
    name = "AddExtremePointsd" if perturbation is None else "RandAddExtremePointsd"
    moved = {} if perturbation is None else {"perturbation": perturbation}
    arguments |= {"dtype": "float32", "points_key": "points", **moved}
    exact, native, plain = pair(f"extreme_points.{name}", **arguments)
    found, expected = plain(item), exact(item)
    assert found["image"].shape == (3, 20, 21, 22)
    assert torch.equal(found["points"].as_tensor(), found["image"][2:].as_tensor())
    if perturbation is None:
        close(found["image"], expected["image"])
    else:
        assert "only towards higher indices" in native.difference
        near = torch.nn.functional.max_pool3d(label[None], 9, 1, 4)[0] > 0  # at most 4 voxels away
        assert bool(near[found["points"].as_tensor() > 0.99].all())
