"""Sizes, crops and intensities in plain MONAI: what is easily wrong about them."""

from __future__ import annotations

import logging
import math

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Resize

TARGETS = [(1.0, 1.0, 1.0), (2.0, 0.8, 3.0), (1.5, 1.5, 1.5)]


def _image(size, spacing=(1.0, 1.0, 1.0), channels=1, seed=0):
    values = np.random.default_rng(seed).uniform(0, 100, (channels, *size)).astype(np.float32)
    return MetaTensor(torch.from_numpy(values), affine=torch.diag(torch.tensor([*spacing, 1.0], dtype=torch.float64)))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("seed", range(8))
def test_a_voxel_size_gives_as_many_voxels(pair, target, seed):
    """size x spacing / target, rounded: the formula, not the other class."""
    rng = np.random.default_rng(seed)
    size, spacing = rng.integers(5, 30, 3), rng.uniform(0.4, 5.0, 3)
    plain = pair("resize_to_spacing.ResizeToSpacingd", keys=["image"], pixdim=list(target), mode="linear").plain
    found = plain({"image": _image(size, spacing)})["image"]
    assert tuple(found.shape[1:]) == tuple(
        max(1, round(n * a / b)) for n, a, b in zip(size, spacing, target, strict=True)
    )
    assert found.pixdim.tolist() == pytest.approx(target, rel=1e-6)


def test_a_voxel_size_that_fits_changes_nothing(pair, close):
    """2 mm to 1 mm: both grids have the same extent, so nothing differs, of labels either."""
    for mode in ("linear", "nearest-exact"):
        exact, _, plain = pair("resize_to_spacing.ResizeToSpacingd", keys=["image"], pixdim=[1.0] * 3, mode=mode)
        item = {"image": _image((6, 7, 8), (2.0, 2.0, 2.0))}
        close(plain(item)["image"], exact(item)["image"])


def test_a_factor_rounds_down(pair):
    _, native, plain = pair("resize.ResizeByFactord", keys=["image"], factor=0.75, mode="linear")
    assert plain({"image": _image((12, 14, 11))})["image"].shape == (1, 9, 10, 8)
    assert "the new size is rounded down" in native.difference


@pytest.mark.parametrize("operations", ["none", "resized", "turned and resized"])
def test_the_original_size_is_the_one_in_the_axes_of_the_chain(pair, chain, operations):
    """What the image remembers, after its turn to RAS; a prediction of another size gets it."""
    image = _image((6, 8, 10))
    image.affine = torch.tensor([[0.0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])  # x is the last axis
    if "turned" in operations:
        image = chain([{"_target_": "Orientationd", "keys": ["image"], "axcodes": "RAS"}])({"image": image})["image"]
    size = tuple(image.shape[1:])
    assert size == ((10, 8, 6) if "turned" in operations else (6, 8, 10))
    if "resized" in operations:
        image = Resize((4, 5, 3))(image)
    plain = pair("resize.ResizeToOriginalShaped", keys=["model"], source_key="image", mode="nearest-exact").plain
    found = plain({"image": image, "model": _image((4, 5, 3), channels=2)})
    assert found["model"].shape == (2, *size)
    assert found["image"] is image


def test_a_falling_scale_is_limited_too(pair, close):
    arguments = {"a_min": 20.0, "a_max": 60.0, "b_min": 1.0, "b_max": 0.0, "clip": True, "dtype": "float32"}
    exact, native, plain = pair("scale_intensity_range.ScaleIntensityRanged", keys=["image"], **arguments)
    item = {"image": _image((5, 6, 7))}
    found = plain(item)["image"]
    expected = np.clip(1 - (item["image"].numpy().astype(np.float64) - 20) / 40, 0, 1)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)
    close(found, exact(item)["image"])
    assert native.difference == ""


def test_each_field_gets_a_constant_of_its_own(pair):
    """U(-magnitude, magnitude), also added to whole numbers."""
    arguments = {"keys": ["image", "other"], "magnitude": 0.5, "prob": 1.0, "dtype": "float32"}
    _, native, plain = pair("add_constant.RandAddConstantd", **arguments)
    assert [one["prob"] for one in native.entries[1:]] == [1.0, 1.0]
    item = {"image": MetaTensor(torch.zeros(1, 2, 2, 2, dtype=torch.int16)), "other": torch.zeros(1, 2, 2, 2)}
    drawn = np.array([[float(value.max()) for value in plain(item).values()] for _ in range(400)])
    assert abs(drawn).max() <= 0.5
    assert drawn.std(axis=0) == pytest.approx([0.5 / math.sqrt(3)] * 2, rel=0.1)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.2


@pytest.mark.parametrize(("spatial_size", "image"), [([4, 5, 6], (8, 9, 7)), ([12, 5, 6], (8, 9, 7))])
def test_a_crop_anywhere_has_its_size_also_where_the_image_is_smaller(pair, spatial_size, image):
    plain = pair("crop_fixed_size.RandCropOrPadd", keys=["image"], spatial_size=spatial_size).plain
    starts = set()
    for _ in range(300):
        crop = plain({"image": _image(image)})["image"]
        assert list(crop.shape[1:]) == spatial_size
        starts.add(round(float(crop.affine[1, 3])))
    assert starts == set(range(image[1] - spatial_size[1] + 1))  # every place occurs


@pytest.mark.parametrize(("limit", "center"), [(None, True), (0, False), ([0, 0, 0], False), ([1, 0, 2], True)])
def test_where_a_crop_of_random_size_lies(pair, limit, center):
    arguments = {"keys": ["image"], "lower_size": [4, 4, 4], "max_displacement": limit}
    native = pair("crop_random_size.RandCropDisplacedd", **arguments).native
    assert native.entries[0]["random_center"] is center
    assert ("is not kept" in native.difference) is (limit == [1, 0, 2])


def test_an_empty_label_gives_the_whole_image(pair, close):
    arguments = {"keys": ["image"], "label_key": "label", "spatial_size": [4, 5, 6], "margin": 1}
    exact, _, plain = pair("crop_foreground_resized.CropForegroundResized", **arguments)
    item = {"image": _image((8, 9, 7)), "label": MetaTensor(torch.zeros(1, 8, 9, 7))}
    expected = exact(item)
    for field, value in plain(item).items():
        close(value, expected[field])


def _crop(pair, rank=3, **arguments):
    given = {"image_keys": ["image", "other"], "label_key": "label", "spatial_size": [4, 5, 6][:rank], "pos": 1.0}
    return pair("crop_pos_neg_roi.RandCropPosNegROId", rank, **{**given, "neg": 1.0, "num_samples": 2, **arguments})


def _marked(size=(10, 11, 12)):
    """Return an item whose label is one voxel, and whose images are numbered."""
    numbers = torch.arange(float(np.prod(size))).reshape(1, *size)
    label = torch.zeros(1, *size)
    label[(0, *(n // 2 for n in size))] = 1
    fields = {"image": numbers, "other": numbers + 0.5, "label": label}
    return {name: MetaTensor(value.clone()) for name, value in fields.items()} | {"file": "a.nii"}


def test_crops_cut_all_their_fields_at_the_same_place(pair):
    _, native, plain = _crop(pair)
    assert native.entries[0]["keys"] == ["image", "other", "label"]
    crops = plain(_marked())
    assert len(crops) == 2
    for crop in crops:
        assert crop["file"] == "a.nii"
        assert crop["image"].shape == crop["label"].shape == (1, 4, 5, 6)
        assert torch.equal(crop["other"] - 0.5, crop["image"])


def test_foreground_is_in_the_middle_as_often_as_asked_for(pair):
    plain = _crop(pair, pos=3.0, num_samples=200).plain
    hits = [float(crop["label"][0, 2, 2, 3]) for crop in plain(_marked())]
    assert np.mean(hits) == pytest.approx(0.75, abs=0.1)


def test_a_label_without_foreground_gives_background(pair, caplog):
    item = _marked() | {"label": MetaTensor(torch.zeros(1, 10, 11, 12))}
    with caplog.at_level(logging.CRITICAL), pytest.warns(UserWarning, match="foreground"):
        assert len(_crop(pair).plain(item)) == 2


def test_one_crop_is_a_list_too(pair):
    _, native, plain = _crop(pair, num_samples=None)
    assert len(plain(_marked())) == 1
    assert "a list of one crop" in native.difference


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("options", [{}, {"rotate_degrees": 20.0}, {"scale_factor": 0.1}])
def test_warped_crops_keep_size_and_labels(pair, rank, options):
    _, native, plain = _crop(pair, rank, deform=True, **options)
    crops = plain(_marked((10, 11, 12)[:rank]))
    for crop in crops:
        assert crop["image"].shape == (1, *[4, 5, 6][:rank])
        assert set(crop["label"].unique().tolist()) <= {0.0, 1.0}
    assert all(entry["prob"] == 1.0 for entry in native.entries[1:])


@pytest.mark.parametrize(("rank", "size"), [(2, [64, 64]), (3, [60, 60, 60]), (3, [80, 80, 40])])
def test_the_displacement_is_as_large_as_ours(pair, chain, rank, size):
    """Images of their own coordinates show how far each voxel was moved, in voxels; away from the border.

    Ours is Gaussian with a standard deviation of U(0, 2.3), whose mean square is 2.3^2 / 3.
    """
    [_, deform] = _crop(pair, rank, deform=True, spatial_size=size).native.entries
    mode = {name: "bilinear" for name in ("mode", "grid_mode") if name in deform}
    elastic = chain([{**deform, "keys": ["image"], **mode}])
    places = torch.stack(torch.meshgrid(*[torch.arange(float(n)) for n in size], indexing="ij"))
    inside = (slice(None), *(slice(n // 5, n - n // 5) for n in size))
    moved = [
        elastic({"image": MetaTensor(places.clone())})["image"][inside] - places[inside]
        for _ in range(12 * 9 ** (3 - rank))
    ]
    squares = torch.stack(moved).pow(2).mean(dim=(0, *range(2, 2 + rank)))
    assert float(squares.mean().sqrt()) == pytest.approx(2.3 / math.sqrt(3), rel=0.15)
    deviations = squares.sqrt().tolist()
    expected = [1.0] * rank if rank == 2 or len(set(size)) == 1 else [1.2, 1.2, 0.6]
    assert [one / (2.3 / math.sqrt(3)) for one in deviations] == pytest.approx(expected, rel=0.25)
