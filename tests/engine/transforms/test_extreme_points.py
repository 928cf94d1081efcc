from __future__ import annotations

import itertools
import logging

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms.utils import extreme_points_to_image, get_extreme_points
from scipy import stats

from clara_compat.engine import properties
from clara_compat.engine.transforms.extreme_points import (
    AddExtremePointsd,
    FetchExtremePointsd,
    RandAddExtremePointsd,
    extreme_points,
    points_image,
)
from clara_compat.engine.transforms.load_nifti import LoadNiftid
from clara_compat.engine.transforms.resize_to_spacing import ResizeToSpacingd
from clara_compat.errors import ClaraError

DRAWS = 2000


def reference_points(mask):
    """By sorting all voxels: how far out, how near the middle of those as far out, order in the array."""
    voxels = np.argwhere(mask)
    found = []
    for axis, sign in itertools.product(range(mask.ndim), (1, -1)):
        outmost = voxels[sign * voxels[:, axis] == (sign * voxels[:, axis]).min()]
        distance = np.linalg.norm(outmost - outmost.mean(axis=0), axis=1).round(9)
        found.append(tuple(outmost[np.argsort(distance, kind="stable")[0]].tolist()))
    return found


def reference_image(points, size, sigma, low, high):
    """Integrals of Gaussians over every voxel, cut off at 4 sigma, on the whole grid in float64."""
    grid = np.indices(size).astype(np.float64)
    total = np.zeros(size)
    for point in set(map(tuple, points)):
        offset = grid - np.reshape(point, (-1, *[1] * len(size)))
        each = stats.norm.cdf((offset + 0.5) / sigma) - stats.norm.cdf((offset - 0.5) / sigma)
        each[np.abs(offset) > int(max(4 * sigma, 0.5) + 0.5)] = 0
        total += each.prod(axis=0)
    return (total - total.min()) / np.ptp(total) * (high - low) + low


@pytest.fixture
def item(oblique_affine):
    def make(size, seed=0):
        rng = np.random.default_rng(seed)
        label = np.zeros((1, *size), np.float32)
        label[(0, *(slice(3, -3) for _ in size))] = rng.integers(0, 3, tuple(n - 6 for n in size))
        affine = torch.from_numpy(oblique_affine.copy())
        image = MetaTensor(torch.from_numpy(rng.normal(size=(2, *size)).astype(np.float32)), affine=affine)
        properties.write(image, {"original_shape": tuple(2 * n for n in size), "file_name": "a.nii"})
        return {"image": image, "label": MetaTensor(torch.from_numpy(label), affine=affine.clone())}

    return make


@pytest.mark.parametrize("size", [(11, 9, 8), (11, 9), (7,)])
@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_points(size, share):
    for seed in range(20):
        mask = np.random.default_rng(seed).random(size) < share
        mask[tuple(n // 2 for n in size)] = True
        found = extreme_points(torch.from_numpy(mask))
        assert found == reference_points(mask)
        monais = get_extreme_points(mask, np.random.RandomState(0))
        axes = [axis for axis in range(len(size)) for _ in (0, 1)]
        assert [p[a] for p, a in zip(found, axes, strict=True)] == [p[a] for p, a in zip(monais, axes, strict=True)]


def test_the_middle_of_a_face_and_no_foreground():
    mask = torch.zeros(9, 9, dtype=torch.bool)
    assert extreme_points(mask) == []
    mask[2:7, 1:6] = True
    assert extreme_points(mask) == [(2, 3), (6, 3), (4, 1), (4, 5)]


@pytest.mark.parametrize("sigma", [0.1, 1, 3])
@pytest.mark.parametrize("size", [(20, 15, 12), (20, 15), (3, 4)])
def test_image_of_points(size, sigma):
    rng = np.random.default_rng(0)
    points = [tuple(rng.integers(0, size).tolist()) for _ in range(4)]
    points.append(points[0])
    found = points_image(points, size, sigma, -1, 2.5)
    np.testing.assert_allclose(found, reference_image(points, size, sigma, -1, 2.5), atol=2e-6)
    monais = extreme_points_to_image(points, torch.zeros(1, *size), float(sigma), -1, 2.5)
    np.testing.assert_allclose(found, monais[0].numpy(), atol=2e-5)
    assert found.min() == -1
    assert found.max() == pytest.approx(2.5)


def test_an_image_of_one_voxel():
    assert points_image([(0, 0)], (1, 1), 3, -1, 1).tolist() == [[1]]


@pytest.mark.parametrize("size", [(14, 12, 10), (14, 12)])
def test_channel(item, size):
    given = item(size)
    out = AddExtremePointsd("image", "label", 2, dtype="float64", points_key="points")(given)
    points = reference_points(given["label"].numpy()[0] > 0)
    assert out["image"].dtype == torch.float64
    np.testing.assert_array_equal(out["image"].numpy()[:2], given["image"].numpy())
    np.testing.assert_allclose(out["image"].numpy()[2], reference_image(points, size, 2, -1, 1), atol=2e-6)
    assert torch.equal(out["points"].as_tensor(), out["image"].as_tensor()[2:])
    assert out["label"] is given["label"]
    assert len(given["image"]) == 2
    assert properties.read(out["image"])["file_name"] == "a.nii"
    for key in ("image", "points"):
        assert torch.equal(out[key].affine, given["image"].affine)


@pytest.mark.parametrize(("perturbation", "law"), [(2.5, [0.2] * 5), (2, [1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8])])
def test_law_of_the_perturbation(perturbation, law):
    """Rounded U(-p, p), coordinate by coordinate."""
    transform = RandAddExtremePointsd("image", "label", perturbation).set_random_state(0)
    points = [(20, 30, 40), (5, 30, 25)]
    moves = np.array([transform._placed(points, (50, 50, 50)) for _ in range(DRAWS)]) - points
    counts = np.stack([(moves == step).sum(axis=0) for step in range(-2, 3)])
    assert (counts.sum(axis=0) == DRAWS).all()
    for each in counts.reshape(5, -1).T:
        assert stats.chisquare(each, np.array(law) * DRAWS).pvalue > 1e-4
    assert np.abs(np.corrcoef(moves.reshape(DRAWS, -1).T) - np.eye(6)).max() < 5 / np.sqrt(DRAWS)


def test_moved_points_stay_in_the_image_and_are_the_same_for_all_images():
    label = torch.zeros(1, 6, 4)
    label[0, 0, 3] = 1
    item = {"image": torch.zeros(1, 6, 4), "second": torch.ones(2, 6, 4), "label": label}
    transform = RandAddExtremePointsd(["image", "second"], "label", 3, sigma=0.05).set_random_state(0)
    seen = torch.zeros(6, 4)
    for _ in range(300):
        out = transform(item)
        assert torch.equal(out["image"][-1], out["second"][-1])
        seen += out["image"][-1] > 0.99
    assert (seen > 0).tolist() == [[True] * 4] * 4 + [[False] * 4] * 2


def test_without_perturbation_it_is_the_deterministic_one(item):
    given = item((14, 12))
    one = RandAddExtremePointsd("image", "label", 0)(given)["image"]
    assert torch.equal(one.as_tensor(), AddExtremePointsd("image", "label")(given)["image"].as_tensor())


@pytest.mark.parametrize(("size", "original"), [((6, 8, 5), (12, 4, 5)), ((6, 8), (11, 3)), ((5, 5), (1, 1))])
def test_fetched_points(size, original):
    rng = np.random.default_rng(0)
    mask = np.zeros((1, *size), np.float32)
    mask[(0, *(slice(1, -1) for _ in size))] = rng.integers(0, 2, tuple(n - 2 for n in size))
    image = MetaTensor(torch.zeros(1, *size))
    layout = "DHWC" if len(size) == 3 else "HWC"
    properties.write(image, {"original_shape": (*original, 7), "original_shape_format": layout})
    out = FetchExtremePointsd("image", "label", "clicks")({"image": image, "label": MetaTensor(torch.from_numpy(mask))})
    scaled = (np.array(reference_points(mask[0])) + 0.5) * np.array(original) / size - 0.5
    assert out["clicks"] == np.rint(scaled).astype(int).tolist()
    assert all(
        type(one) is int and 0 <= one < n for point in out["clicks"] for one, n in zip(point, original, strict=True)
    )


@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("axes", [[0, 1, 2], [2, 0, 1], [1, 0]])
def test_points_are_those_of_the_file(tmp_path, oblique_affine, axes, canonical):
    """Reversed and swapped axes: the same points in the same order, whether or not the loader turns the image."""
    rng = np.random.default_rng(3)
    rank = len(axes)
    mask = np.zeros((9, 7, 8)[:rank], np.uint8)
    mask[tuple(slice(2, -1) for _ in axes)] = rng.random(tuple(n - 3 for n in mask.shape)) < 0.3
    affine = np.diag([-2.0, 3, 4, 1]) if rank == 2 else oblique_affine
    affine = affine[:, [*axes, *range(rank, 4)]] if rank == 3 else affine
    nibabel.save(nibabel.Nifti1Image(mask, affine), tmp_path / "a.nii")
    loaded = LoadNiftid(["image", "label"], as_closest_canonical=canonical)
    item = loaded(dict.fromkeys(["image", "label"], str(tmp_path / "a.nii")))
    assert (item["image"].affine.numpy() == properties.read(item["image"])["original_affine"]).all() != canonical
    assert FetchExtremePointsd("image", "label")(item)["points"] == [list(at) for at in reference_points(mask)]


def test_turned_back_after_resampling(tmp_path):
    """A block in a file whose x axis is reversed: each point is a voxel of the file's block, also from a finer grid."""
    mask = np.zeros((10, 8, 6), np.uint8)
    mask[1:4, 2:7, 3:5] = 1
    nibabel.save(nibabel.Nifti1Image(mask, np.diag([-2.0, 2, 2, 1])), tmp_path / "a.nii")
    found = []
    for canonical in (False, True):
        load = LoadNiftid(["image", "label"], as_closest_canonical=canonical)
        item = load(dict.fromkeys(["image", "label"], str(tmp_path / "a.nii")))
        item = ResizeToSpacingd(["image", "label"], [1.0, 1.0, 1.0], "nearest-exact")(item)
        model = {"image": item["image"], "model": item["label"].as_tensor()}  # a network's output knows nothing
        found.append(FetchExtremePointsd("image", "model")(model)["points"])
    assert found[0] == found[1]
    assert [found[0][2 * axis + end][axis] for axis in range(3) for end in (0, 1)] == [1, 3, 2, 6, 3, 4]
    assert all(mask[tuple(point)] for point in found[0])


def test_a_turned_image_that_does_not_say_how(item):
    given = item((14, 12))
    properties.update(given["image"], as_canonical=True)
    with pytest.raises(ClaraError, match="'image' does not say how its file was oriented, which is needed to turn it"):
        FetchExtremePointsd("image", "label")(given)


@pytest.mark.parametrize(("before", "after"), [("DHW", "CDHW"), ("DHWC", "DHWC"), ("CDHW", "CDHW")])
def test_the_new_channel_is_no_secret(item, before, after):
    given = item((9, 9, 9))
    given["image"] = MetaTensor(given["image"].as_tensor()[:1])
    properties.write(given["image"], {"shape_format": before})
    assert properties.read(AddExtremePointsd("image", "label")(given)["image"])["shape_format"] == after


def test_an_empty_mask_gives_no_points_and_a_warning(item, caplog):
    given = item((14, 12))
    given["label"] = MetaTensor(torch.zeros(1, 14, 12), meta={"filename_or_obj": "b.nii"})
    with caplog.at_level(logging.WARNING):
        assert FetchExtremePointsd("image", "label")(given)["points"] == []
    assert "field 'label' has no foreground, so no extreme points (b.nii)" in caplog.text
    with pytest.raises(
        ClaraError, match=r"'label' has no foreground, so it has no extreme points \(b.nii\): leave this"
    ):
        AddExtremePointsd("image", "label")(given)


def test_messages(item):
    given = item((14, 12))
    with pytest.raises(ClaraError, match=r"'image' has the shape \(5, 5\) and field 'label' \(14, 12\)"):
        AddExtremePointsd("image", "label")({**given, "image": torch.zeros(1, 5, 5)})
    with pytest.raises(ClaraError, match="'label' has no property 'original_shape'"):
        FetchExtremePointsd("label", "label")(given)
    with pytest.raises(ClaraError, match="sigma must be a number of voxels above 0, got 0"):
        AddExtremePointsd("image", "label", sigma=0)
    with pytest.raises(ClaraError, match="perturbation must be a number of voxels of at least 0, got -1"):
        RandAddExtremePointsd("image", "label", -1)


@pytest.mark.real
def test_real_label(clara_examples):
    label = np.asarray(nibabel.load(clara_examples / "sampleData/labelsTr/spleen_8.nii.gz").dataobj).astype(np.float32)
    item = {"image": torch.zeros(1, *label.shape), "label": torch.from_numpy(label[np.newaxis])}
    points = reference_points(label > 0)
    assert extreme_points(item["label"][0] > 0) == points
    channel = AddExtremePointsd("image", "label")(item)["image"][1].numpy()
    box = tuple(slice(max(min(c) - 12, 0), max(c) + 13) for c in zip(*points, strict=True))
    shifted = [tuple(at - s.start for at, s in zip(point, box, strict=True)) for point in points]
    expected = reference_image(shifted, channel[box].shape, 3, -1, 1)
    np.testing.assert_allclose(channel[box], expected, atol=2e-6)
    channel[box] = -1
    assert (channel == -1).all()
