from __future__ import annotations

import logging
from collections import Counter

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import stats
from scipy.spatial.transform import Rotation

from clara_compat.engine import properties
from clara_compat.engine.transforms import crop_pos_neg_roi
from clara_compat.engine.transforms.crop_pos_neg_roi import RandCropPosNegROId
from clara_compat.errors import ClaraError

DRAWS = 2000
ALL = {"rotate_degrees": 25.0, "scale_factor": 0.2, "deform": True}


def numbered(size, foreground=()):
    """An item whose image holds each voxel's number and whose label marks some voxels."""
    label = torch.zeros(1, *size)
    for voxel in foreground:
        label[(0, *voxel)] = 1
    return {
        "image": MetaTensor(torch.arange(float(np.prod(size))).reshape(1, *size), meta={"filename_or_obj": "scan.nii"}),
        "label": MetaTensor(label, meta={"filename_or_obj": "mask.nii"}),
    }


def crop(seed=0, **arguments):
    return RandCropPosNegROId("image", "label", **arguments).set_random_state(seed)


def starts(transform, item, draws=DRAWS):
    shape = item["image"].shape[1:]
    corner = (0,) * len(item["image"].shape)
    return np.array([np.unravel_index(int(transform(item)["image"][corner]), shape) for _ in range(draws)])


@pytest.mark.parametrize(("pos", "neg"), [(1, 1), (3, 1), (1, 0), (0, 1)])
def test_foreground_has_its_share_and_all_voxels_are_equal(pos, neg):
    size, roi = (14, 12, 10), (3, 4, 5)
    marked = [(5, 6, 5), (7, 4, 4), (9, 8, 6), (1, 2, 2)]  # none of them so near to the border that the crop shifts
    item = numbered(size, marked)
    found = starts(crop(spatial_size=roi, pos=pos, neg=neg), item) + np.array(roi) // 2
    is_foreground = [(found == voxel).all(axis=1) for voxel in marked]
    share = pos / (pos + neg)
    counts = np.array([hit.sum() for hit in is_foreground])
    # a background centre near a border is shifted and may then land on a marked voxel: at (1, 2, 2), in the corner
    inner = counts[:3]
    assert inner.sum() / DRAWS == pytest.approx(0.75 * share, abs=5 * 0.5 / np.sqrt(DRAWS))
    if share:
        assert stats.chisquare(inner).pvalue > 1e-4
    else:
        assert inner.sum() == 0


def test_background_centres_are_uniform_and_shifted_inside():
    size, roi = (12, 9), (4, 4)
    found = starts(crop(spatial_size=roi, pos=0), numbered(size), 4000)
    expected = np.zeros(tuple(n - r + 1 for n, r in zip(size, roi, strict=True)))
    for centre in np.ndindex(*size):
        start = [min(max(c - r // 2, 0), n - r) for c, r, n in zip(centre, roi, size, strict=True)]
        expected[tuple(start)] += 4000 / np.prod(size)
    counts = np.zeros_like(expected)
    np.add.at(counts, tuple(found.T), 1)
    assert stats.chisquare(counts.ravel(), expected.ravel()).pvalue > 1e-4


@pytest.mark.parametrize("size", [(30, 20, 10), (30, 20)])
def test_image_and_label_are_cut_alike(size):
    item = numbered(size, [(3,) * len(size)])
    item["label"] = MetaTensor(item["image"].as_tensor() % 7, meta=dict(item["label"].meta))
    transform = crop(spatial_size=(8, 6, 4)[: len(size)])
    for _ in range(50):
        out = transform(item)
        assert out["image"].shape == (1, *(8, 6, 4)[: len(size)])
        assert torch.equal(out["image"].as_tensor() % 7, out["label"].as_tensor())
        assert out["image"].is_contiguous()
        assert out["image"].untyped_storage().nbytes() < item["image"].untyped_storage().nbytes()


def test_the_whole_image_and_any_positive_label():
    item = numbered((4, 4, 4))
    item["label"] = MetaTensor(torch.stack([torch.zeros(4, 4, 4), torch.full((4, 4, 4), 0.5)]))  # any channel counts
    out = crop(spatial_size=(4, 4, 4), neg=0)(item)
    assert torch.equal(out["image"].as_tensor(), item["image"].as_tensor())
    assert out["label"].shape == (2, 4, 4, 4)


@pytest.mark.parametrize("marked", [[], [(7, 8, 9)]])
def test_rare_foreground_is_found_by_the_search(marked):
    """One voxel in 130,000: probing alone would often miss it."""
    item = numbered((60, 50, 43), marked)
    transform = crop(spatial_size=(3, 3, 3), neg=0)
    found = starts(transform, item, 40) + 1
    assert (found == (7, 8, 9)).all() if marked else len(np.unique(found, axis=0)) > 30


@pytest.mark.parametrize("size", [(5, 6, 7), (16, 16)])
def test_the_search_is_uniform(size):
    """So few voxels are not probed."""
    marked = {tuple(n - 1 for n in size), tuple(n // 2 for n in size), (0,) * len(size)}
    label = numbered(size, marked)["label"].as_tensor()
    voxels = crop_pos_neg_roi._Voxels(torch.cat([label, 0 * label]), np.random.RandomState(0))
    for kind, wanted in ((True, marked), (False, set(np.ndindex(*size)) - marked)):
        counts = Counter(voxels.draw(kind) for _ in range(10 * len(wanted)))
        assert set(counts) <= {(voxel, kind) for voxel in wanted}
        assert stats.chisquare([counts[voxel, kind] for voxel in wanted]).pvalue > 1e-4


class TestSeveralRegions:
    @pytest.mark.parametrize("count", [1, 3])
    def test_a_list_of_items(self, count):
        item = {**numbered((30, 20, 10), [(3, 3, 3)]), "weight": torch.rand(3), "path": "scan.nii"}
        item["second"] = MetaTensor(item["image"].as_tensor() * 2)
        transform = RandCropPosNegROId(["image", "second"], "label", (8, 6, 4), num_samples=count).set_random_state(0)
        out = transform(item)
        assert isinstance(out, list)
        assert len(out) == count
        for each in out:
            assert set(each) == set(item)
            assert each["weight"] is item["weight"]
            assert each["image"].shape == each["second"].shape == each["label"].shape == (1, 8, 6, 4)
            assert torch.equal(each["image"].as_tensor() * 2, each["second"].as_tensor())
            assert torch.equal(each["image"].affine, each["second"].affine)
        pieces = [each[field].data_ptr() for each in out for field in ("image", "second", "label")]
        assert len(set(pieces)) == 3 * count
        assert item["image"].shape == (1, 30, 20, 10)

    def test_each_has_draws_of_its_own(self):
        size = (14, 12, 10)
        marked = [(5, 6, 5), (7, 4, 4), (9, 8, 6)]
        item = numbered(size, marked)
        transform = crop(spatial_size=(3, 4, 5), pos=3, num_samples=2)
        corners = np.array(
            [[int(each["image"][0, 0, 0, 0]) for each in transform(item)] for _ in range(DRAWS)], dtype=np.int64
        )
        hits = np.isin(corners, [np.ravel_multi_index(np.array(at) - [1, 2, 2], size) for at in marked])
        np.testing.assert_allclose(hits.mean(axis=0), 0.75, atol=5 * 0.5 / np.sqrt(DRAWS))
        assert abs(np.corrcoef(hits.T)[0, 1]) < 5 / np.sqrt(DRAWS)
        assert (corners[:, 0] == corners[:, 1]).mean() < 0.3  # 3 voxels for three quarters of the draws

    def test_warped_alike_within_a_region_only(self):
        item = numbered((20, 20, 20), [(4, 5, 6), (12, 13, 9)])
        item["second"] = MetaTensor(item["image"].as_tensor() / 2)
        transform = RandCropPosNegROId(["image", "second"], "label", (8, 8, 8), num_samples=2, **ALL)
        one, two = transform.set_random_state(0)(item)
        for each in (one, two):
            torch.testing.assert_close(each["image"].as_tensor() / 2, each["second"].as_tensor())
            assert torch.equal(each["image"].affine, each["label"].affine)
        assert not torch.equal(one["image"].affine[:3, :3], two["image"].affine[:3, :3])

    @pytest.mark.parametrize("marked", [[], [(7, 8, 9)]])
    def test_the_label_is_searched_once(self, marked, monkeypatch):
        searches = []
        search = crop_pos_neg_roi._Voxels._search
        monkeypatch.setattr(crop_pos_neg_roi._Voxels, "_search", lambda self: (searches.append(1), search(self)))
        item = numbered((60, 50, 43), marked)
        for _ in range(3):
            crop(spatial_size=(3, 3, 3), neg=0, num_samples=8)(item)
        assert len(searches) == 3

    def test_only_the_label(self):
        item = numbered((9, 9, 9))
        out = RandCropPosNegROId([], "label", (3, 3, 3))(item)
        assert out["label"].shape == (1, 3, 3, 3)
        assert out["image"] is item["image"]

    def test_a_missing_image(self):
        item = numbered((9, 9, 9))
        with pytest.raises(KeyError, match="`other`"):
            RandCropPosNegROId(["image", "other"], "label", (3, 3, 3))(item)
        out = RandCropPosNegROId(["image", "other"], "label", (3, 3, 3), allow_missing_keys=True)(item)
        assert out["image"].shape == (1, 3, 3, 3)


@pytest.mark.parametrize(("value", "pos", "missing"), [(0.0, 1, "foreground"), (1.0, 0, "background")])
def test_nothing_of_one_kind_takes_the_other_and_says_so_once(caplog, value, pos, missing):
    item = numbered((6, 6, 6))
    item["label"] += value
    with caplog.at_level(logging.WARNING):
        found = starts(crop(spatial_size=(3, 3, 3), pos=pos, neg=1 - pos), item, 20)
    assert len(np.unique(found, axis=0)) > 10
    assert [record.getMessage().count(f"the label has no {missing}") for record in caplog.records] == [1]
    assert "mask.nii" in caplog.text


class TestWarp:
    """The affine gives each draw's rotation and scale back."""

    size, roi = (24, 22, 20), (4, 4, 4)

    def matrices(self, rank, **arguments):
        item = numbered(self.size[:rank])
        transform = crop(spatial_size=self.roi[:rank], pos=0, **arguments)
        return np.stack([transform(item)["image"].affine.numpy()[:rank, :rank] for _ in range(DRAWS)])

    @staticmethod
    def check_uniform(values, low, high):
        assert low <= values.min() < low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, abs=5 * (high - low) / np.sqrt(12 * DRAWS))
        assert values.var() == pytest.approx((high - low) ** 2 / 12, rel=0.1)
        assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-4

    @pytest.mark.parametrize("rank", [2, 3])
    def test_rotation(self, rank):
        matrices = self.matrices(rank, rotate_degrees=20)
        np.testing.assert_allclose(
            matrices @ matrices.transpose(0, 2, 1), np.eye(rank)[None].repeat(DRAWS, 0), atol=1e-9
        )
        if rank == 2:
            angles = np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))[:, None]
        else:
            angles = Rotation.from_matrix(matrices).as_euler("XYZ", degrees=True)
        for one in angles.T:
            self.check_uniform(one, -20, 20)
        if rank == 3:
            assert np.abs(np.corrcoef(angles.T) - np.eye(3)).max() < 5 / np.sqrt(DRAWS)

    @pytest.mark.parametrize("rank", [2, 3])
    def test_scale(self, rank):
        matrices = self.matrices(rank, scale_factor=0.1)
        factors = matrices[:, 0, 0]
        np.testing.assert_allclose(matrices, factors[:, None, None] * np.eye(rank), atol=1e-12)
        self.check_uniform(factors, 0.9, 1.1)

    def test_rotation_and_scale_are_independent(self):
        matrices = self.matrices(2, rotate_degrees=30, scale_factor=0.2)
        factors = np.sqrt(np.linalg.det(matrices))
        angles = np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])
        self.check_uniform(factors, 0.8, 1.2)
        self.check_uniform(np.degrees(angles), -30, 30)
        assert abs(np.corrcoef(factors, angles)[0, 1]) < 5 / np.sqrt(DRAWS)

    def test_displacement(self):
        """Mean 0; standard deviation a mixture of U(0, 2.3), so variance 2.3^2 / 3; in all directions."""
        size = (60, 60)
        places = np.indices(size).astype(np.float32)
        item = {"image": MetaTensor(torch.from_numpy(places)), "label": MetaTensor(torch.zeros(1, *size))}
        item["label"][0, 30, 30] = 1
        transform = crop(spatial_size=(4, 4), neg=0, deform=True)
        moved = np.stack([transform(item)["image"].numpy() for _ in range(DRAWS)])
        shift = moved - places[:, 28:32, 28:32]
        assert np.abs(shift).max() < 5 * 2.3
        assert np.abs(shift.mean(axis=0)).max() < 5 * 1.33 / np.sqrt(DRAWS)
        np.testing.assert_allclose(shift.var(axis=0), 2.3**2 / 3, rtol=0.15)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("options", [{}, {"rotate_degrees": 25.0}, {"scale_factor": 0.2}, ALL])
def test_a_place_keeps_its_millimetres(world_image, world, rank, options):
    """Rotated, flipped, anisotropic: the voxels hold their own mm, and the affine says where they are."""
    size, roi = (40, 36, 44)[:rank], (12, 10, 9)[:rank]
    item = {"image": world_image(size)}
    middle = tuple(slice(n // 2 - 2, n // 2 + 2) for n in size)
    item["label"] = MetaTensor(torch.zeros(1, *size), affine=item["image"].affine.clone())
    item["label"][(0, *middle)] = 1  # far from the border: no voxel comes from outside
    transform = crop(spatial_size=roi, neg=0, **options)
    for _ in range(20):
        out = transform(item)
        error = np.abs(out["image"].numpy() - world(out["image"].affine.numpy(), roi))
        # what is displaced is off by the displacement, and by nothing else: 6 standard deviations of 2.3 voxels of 4 mm
        assert error.max() < (6 * 2.3 * 4 if options.get("deform") else 2e-3)
        assert torch.equal(out["image"].affine, out["label"].affine)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("options", [{"rotate_degrees": 20.0}, {"scale_factor": 0.1}, {"deform": True}, ALL])
def test_image_and_label_are_warped_alike(rank, options):
    """The image is a function of the label's geometry: a linear ramp against the same ramp in whole voxels."""
    size, roi = (40, 36, 32)[:rank], (14, 12, 10)[:rank]
    ramp = torch.from_numpy(np.indices(size).astype(np.float32))
    item = {"image": MetaTensor(ramp), "label": MetaTensor(ramp.clone())}
    transform = crop(spatial_size=roi, **options)
    for _ in range(50):
        out = transform(item)
        assert (out["image"] - out["label"]).abs().max() <= 0.501  # the nearest voxel of the very same place
        assert (out["label"] % 1 == 0).all()
        assert out["image"].shape == (rank, *roi)


def test_the_border_continues_outside():
    item = {
        "image": MetaTensor(torch.full((1, 12, 12, 12), 3.0)),
        "label": MetaTensor(torch.full((1, 12, 12, 12), 2.0)),
    }
    out = crop(spatial_size=(12, 12, 12), **ALL)(item)
    torch.testing.assert_close(out["image"].as_tensor(), torch.full((1, 12, 12, 12), 3.0), rtol=1e-6, atol=0)
    assert out["label"].unique().tolist() == [2.0]


def test_properties_go_along(oblique_affine):
    image = MetaTensor(torch.rand(1, 20, 20, 20), affine=torch.from_numpy(oblique_affine))
    properties.write(image, {"file_name": "a.nii", "shape_format": "CDHW"})
    label = MetaTensor(torch.ones(1, 20, 20, 20), meta=dict(image.meta))
    out = crop(spatial_size=(8, 8, 8), scale_factor=0.5)({"image": image, "label": label, "weight": 3})
    assert out["weight"] == 3
    for field in ("image", "label"):
        found = properties.read(out[field])
        assert (found["file_name"], found["shape_format"]) == ("a.nii", "CDHW")
        norms = np.linalg.norm(out[field].affine.numpy()[:3, :3], axis=0)
        assert found["spacing"] == pytest.approx(tuple(norms))
    assert torch.equal(image.affine, torch.from_numpy(oblique_affine))


def test_the_same_seed_gives_the_same_crop():
    item = numbered((20, 20, 20), [(4, 5, 6)])
    one, two, other = (crop(seed, spatial_size=(8, 8, 8), **ALL) for seed in (3, 3, 4))
    for _ in range(3):
        first, second = one(item), two(item)
        assert torch.equal(first["image"].as_tensor(), second["image"].as_tensor())
        assert torch.equal(first["image"].affine, second["image"].affine)
    assert not torch.equal(other(item)["image"].affine, first["image"].affine)


def test_plain_tensors():
    item = {name: value.as_tensor() for name, value in numbered((9, 9, 9)).items()}
    out = crop(spatial_size=(3, 3, 3), **ALL)(item)
    assert type(out["image"]) is torch.Tensor
    assert out["label"].shape == (1, 3, 3, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spatial_size": (4, 0, 4)}, "2 or 3 positive numbers of voxels, got"),
        ({"spatial_size": (4,)}, "2 or 3 positive numbers of voxels, got"),
        ({"spatial_size": (4, 4), "pos": -1}, "pos and neg must not be below 0"),
        ({"spatial_size": (4, 4), "pos": 0, "neg": 0}, "nor both 0, got 0 and 0"),
        ({"spatial_size": (4, 4), "scale_factor": 1.0}, "at least 0 and below 1, got 1.0"),
        ({"spatial_size": (4, 4), "num_samples": 0}, "number of crops must be at least 1, got 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ClaraError, match=message):
        crop(**arguments)


def test_items_that_do_not_fit():
    with pytest.raises(ClaraError, match=r"crop of \[8, 20, 8\] voxels is larger .* has \[9, 10, 11\] .*\(scan.nii\)"):
        crop(spatial_size=(8, 20, 8))(numbered((9, 10, 11)))
    with pytest.raises(ClaraError, match=r"size \[8, 8\] has 2 numbers, but field 'image' has 3 .*scan.nii"):
        crop(spatial_size=(8, 8))(numbered((9, 10, 11)))
    item = {**numbered((9, 10, 11)), "label": numbered((9, 10, 12))["label"]}
    with pytest.raises(
        ClaraError,
        match=r"'label' has the shape \(9, 10, 12\) and field 'image' \(9, 10, 11\): .*\(mask.nii, scan.nii\)",
    ):
        crop(spatial_size=(4, 4, 4))(item)
