"""Random turns and flips, crops and pads: their laws, and what a user would trip over."""

from __future__ import annotations

import logging
from collections import Counter
from itertools import product

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import ndimage, stats

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.crop_by_pos_neg_ratio import CropByPosNegRatio
from clara_compat.components.transforms.crop_by_pos_neg_ratio_label_only import CropByPosNegRatioLabelOnly
from clara_compat.components.transforms.crop_fixed_size_random_center import CropFixedSizeRandomCenter
from clara_compat.components.transforms.crop_foreground_object import CropForegroundObject
from clara_compat.components.transforms.crop_random_size_with_displacement import CropRandomSizeWithDisplacement
from clara_compat.components.transforms.crop_random_sub_volume_in_pos_neg_ratio import CropRandomSubVolumeInPosNegRatio
from clara_compat.components.transforms.crop_sub_volume_center import CropSubVolumeCenter
from clara_compat.components.transforms.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio
from clara_compat.components.transforms.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI
from clara_compat.components.transforms.native import Geometry
from clara_compat.components.transforms.random_axis_flip import RandomAxisFlip
from clara_compat.components.transforms.random_rotate_2d import RandomRotate2D
from clara_compat.components.transforms.random_rotate_3d import RandomRotate3D
from clara_compat.components.transforms.symmetric_padder_div import SymmetricPadderDiv
from clara_compat.errors import ClaraError

DRAWS = 2000
FIELDS = ["image", "label"]
FLAT = BundleContext(spatial_dims=2)


def uniform(values, low, high):
    assert low <= values.min() < low + 0.02 * (high - low)
    assert high - 0.02 * (high - low) < values.max() <= high
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-4


def obeys(counts, shares):
    """Whether outcomes come as often as they should, and no other ones."""
    assert set(counts) <= set(shares)
    total = sum(counts.values())
    assert stats.chisquare([counts[one] for one in shares], [total * share for share in shares.values()]).pvalue > 1e-4


def same_voxels(out):
    return torch.equal(out["image"].as_tensor(), out["label"].as_tensor())


@pytest.fixture
def draw(numbered):
    """Run a chain many times on an item with numbered voxels; give each result's first voxel in the item, and size."""

    def run(chain, size, draws=DRAWS):
        item, found = numbered(size), []
        for _ in range(draws):
            out = chain(item)
            assert same_voxels(out)
            first = tuple(int(i) for i in np.unravel_index(int(out["image"].flatten()[0]), size))
            found.append((first, tuple(out["image"].shape[1:])))
        return found

    return run


class TestRandomAxisFlip:
    @pytest.mark.parametrize(("size", "probability"), [((2, 3, 4), 0.5), ((3, 2), 0.3)])
    def test_law(self, build, numbered, size, probability):
        """One axis, each as likely as the others, the same in both fields."""
        rank, item = len(size), numbered(size)
        chain = build(RandomAxisFlip(FIELDS, probability), rank)
        flips = {axis: np.flip(item["image"].numpy(), axis + 1) for axis in range(rank)}
        counts = Counter()
        for _ in range(DRAWS):
            out = chain(item)
            assert same_voxels(out)
            voxels = out["image"].numpy()
            counts.update([next((a for a, flip in flips.items() if np.array_equal(voxels, flip)), None)])
        obeys(counts, {None: 1 - probability, **dict.fromkeys(flips, probability / rank)})


class TestRandomRotate3D:
    @pytest.mark.parametrize(("size", "probability"), [((2, 3, 4), 0.5), ((3, 2), 0.3)])
    def test_law(self, build, numbered, size, probability):
        """One to three quarter turns in the first two axes, each as likely as the others, the same in both fields."""
        item = numbered(size)
        chain = build(RandomRotate3D(FIELDS, probability), len(size))
        turned = {k: np.rot90(item["image"].numpy(), k, (1, 2)) for k in range(4)}
        counts = Counter()
        for _ in range(DRAWS):
            out = chain(item)
            assert same_voxels(out)
            counts.update(k for k, voxels in turned.items() if np.array_equal(out["image"].numpy(), voxels))
        obeys(counts, {0: 1 - probability, **dict.fromkeys((1, 2, 3), probability / 3)})

    def test_header_sizes_are_the_smallest(self):
        before = {"image": Geometry((10, 20, 30), (1.0, 0.5, 3.0)), "other": Geometry((1, 2), (1.0, 2.0))}
        after = RandomRotate3D(["image"]).propagate(before)
        assert after == {"image": Geometry((10, 10, 30), (0.5, 0.5, 3.0)), "other": before["other"]}
        assert RandomRotate3D(FIELDS, 0).propagate(before) == before


class TestRandomRotate2D:
    def test_law(self, build, numbered):
        """The affine gives the angle back; one for both fields."""
        for angle in (25, -25):
            chain = build(RandomRotate2D(FIELDS, angle, is_random=True), 2)
            item = {name: MetaTensor(torch.zeros(1, 3, 4)) for name in FIELDS}
            angles = []
            for _ in range(DRAWS):
                out = chain(item)
                assert torch.equal(out["image"].affine, out["label"].affine)
                row = out["image"].affine.numpy()[0]
                angles.append(np.degrees(np.arctan2(row[1], row[0])))
            uniform(np.array(angles), -25, 25)

    def test_image_linear_label_nearest(self):
        entry = RandomRotate2D(["image", "label", "second"], 270, dtype="np.float64").bundle_entry(FLAT)
        assert entry == Entry(
            "clara_compat.engine.transforms.rotate_2d.Rotate2Dd",
            keys=["image", "label", "second"],
            degrees=270.0,
            mode=["bilinear", "nearest", "bilinear"],
            dtype="float64",
        )
        assert RandomRotate2D("image", 3, True).bundle_entry(FLAT).target.endswith("rotate_2d.RandRotate2Dd")

    @pytest.mark.parametrize("angle", [90, 180, 270, -90])
    def test_counter_clockwise(self, build, numbered, angle):
        out = build(RandomRotate2D(FIELDS, angle), 2)(numbered((5, 5)))
        np.testing.assert_array_equal(out["image"].numpy()[0], np.rot90(np.arange(25).reshape(5, 5), angle // 90))
        assert same_voxels(out)

    def test_volumes_are_refused(self):
        component = RandomRotate2D(FIELDS, 30)
        with pytest.raises(ClaraError, match="2-D images only, but the images have 3 spatial axes.*RandomRotate3D"):
            component.bundle_entry(BundleContext(spatial_dims=3))
        with pytest.raises(ClaraError, match="2-D images only, but field 'label' has 3 spatial axes"):
            component.propagate({"label": Geometry((3, 4, 5), (1.0, 1.0, 1.0))})

    def test_header_spacing(self):
        before = {"image": Geometry((4, 5), (1.0, 3.0))}
        assert RandomRotate2D("image", 90).propagate(before)["image"].spacing == pytest.approx((3.0, 1.0))
        assert RandomRotate2D("image", 45).propagate(before)["image"].spacing == pytest.approx((5**0.5, 5**0.5))
        assert RandomRotate2D("image", 45, True).propagate(before)["image"] == Geometry((4, 5), (1.0, 1.0))

    @pytest.mark.real
    def test_real_slice(self, build, clara_examples):
        scan = nibabel.load(clara_examples / "sampleData/imagesTr/spleen_8.nii.gz").dataobj[..., 16]
        plane = np.asarray(scan, np.float32)
        out = build(RandomRotate2D("image", -17), 2)({"image": MetaTensor(torch.from_numpy(plane)[None])})["image"]
        expected = ndimage.rotate(plane.astype(np.float64), -17, reshape=False, order=1, mode="grid-constant")
        assert np.abs(out.numpy()[0] - expected).max() < 1e-5 * np.ptp(plane)


class TestFixedSize:
    @pytest.mark.parametrize(("size", "crop"), [((5, 4, 3), (3, 4, 2)), ((6, 5), (4, 2))])
    def test_every_place_is_equally_likely(self, build, draw, size, crop):
        found = draw(build(CropFixedSizeRandomCenter(FIELDS, list(crop)), len(size)), size)
        assert {shape for _, shape in found} == {crop}
        places = list(product(*(range(n - m + 1) for n, m in zip(size, crop, strict=True))))
        obeys(Counter(first for first, _ in found), dict.fromkeys(places, 1 / len(places)))

    def test_a_short_axis_is_padded_and_the_others_still_drawn(self, build, draw, caplog):
        chain = build(CropFixedSizeRandomCenter(FIELDS, [4, 8]), 2)
        with caplog.at_level(logging.WARNING):
            starts = {out["image"][0, 0, 1:-1].tolist()[0] for out in (chain(_ones((9, 6))) for _ in range(100))}
        assert starts == {float(i) for i in range(1, 7)}
        assert [record.getMessage().count("padded with zeros") for record in caplog.records] == [1]

    def test_sizes_and_axes(self):
        for component in (CropFixedSizeRandomCenter(FIELDS, [8, 8]), CropSubVolumeCenter(FIELDS, [8, 8])):
            with pytest.raises(ClaraError, match=r"\[8, 8\] has 2 numbers, but the images have 3 spatial axes"):
                component.bundle_entry(BundleContext(spatial_dims=3))
            with pytest.raises(ClaraError, match=r"\[8, 8\] does not fit field 'image' of 3 spatial axes"):
                component.propagate({"image": Geometry((9, 9, 9), (1.0, 1.0, 1.0))})
            geometry = component.propagate({"image": Geometry((9, 3), (1.0, 2.0))})
            assert geometry == {"image": Geometry((8, 8), (1.0, 2.0))}

    @pytest.mark.real
    def test_real_scan(self, build, clara_examples):
        scan = nibabel.load(clara_examples / "sampleData/imagesTr/spleen_8.nii.gz")
        voxels = np.asarray(scan.dataobj, np.float32)
        item = {"image": MetaTensor(torch.from_numpy(voxels)[None], affine=torch.from_numpy(scan.affine))}
        out = build(CropSubVolumeCenter("image", [101, 64, 40]))(item)["image"]
        np.testing.assert_array_equal(out.numpy()[0, :, :, 4:-4], voxels[206:307, 224:288])
        assert not out[..., :4].any()
        assert not out[..., -4:].any()
        np.testing.assert_allclose(out.affine[:, 3], scan.affine @ [206, 224, -4, 1])
        out = build(SymmetricPadderDiv("image", 36))({"image": item["image"][:, 100:150, :80]})["image"]
        np.testing.assert_array_equal(out.numpy()[0], np.pad(voxels[100:150, :80], ((11, 11), (14, 14), (2, 2))))


def _ones(size):
    """An item of rows that hold their own number, from 1."""
    rows = torch.arange(1.0, size[0] + 1).reshape(1, -1, 1).repeat(1, 1, size[1])
    return {name: MetaTensor(rows.clone()) for name in FIELDS}


class TestRandomSize:
    def test_law(self, build, draw):
        """Per axis a uniform size, then a uniform place among those that are allowed."""
        size, low, limit = (7, 6), (4, 5), (1, 9)
        component = CropRandomSizeWithDisplacement(FIELDS, list(low), list(limit))
        found = draw(build(component, 2), size, 3000)
        for axis in range(2):
            n, shares = size[axis], {}
            for m in range(low[axis], n + 1):
                middle = n // 2 - m // 2
                starts = [a for a in range(n - m + 1) if abs(a - middle) <= limit[axis]]
                shares |= {(a, m): 1 / (n + 1 - low[axis]) / len(starts) for a in starts}
            obeys(Counter((first[axis], shape[axis]) for first, shape in found), shares)
        sizes = np.array([shape for _, shape in found])
        assert abs(np.corrcoef(sizes.T)[0, 1]) < 5 / np.sqrt(len(found))

    @pytest.mark.parametrize(("limit", "expected"), [(0, {0}), (1, {-1, 0, 1}), (None, {-2, -1, 0, 1, 2})])
    def test_displacement(self, build, draw, limit, expected):
        """The centre voxel's displacement from the image's, for a size that cannot vary."""
        found = draw(build(CropRandomSizeWithDisplacement(FIELDS, [9, 5, 1], limit)), (9, 9, 1), 300)
        moved = {first[1] - (4 - shape[1] // 2) for first, shape in found if shape[1] == 5}
        assert moved == expected

    def test_headers(self):
        component = CropRandomSizeWithDisplacement("image", [4, 5])
        before = {"image": Geometry((7, 6), (1.0, 2.0)), "label": Geometry((7, 6), (1.0, 2.0))}
        assert component.propagate(before) == {**before, "image": Geometry((4, 5), (1.0, 2.0))}
        with pytest.raises(
            ClaraError, match=r"crop of \[4, 5\] voxels is larger than field 'image', which has \[3, 6\]"
        ):
            component.propagate({"image": Geometry((3, 6), (1.0, 2.0))})
        with pytest.raises(ClaraError, match=r"\[4, 5\] has 2 numbers, but the images have 3 spatial axes"):
            component.bundle_entry(BundleContext(spatial_dims=3))


class TestCropForegroundObject:
    def test_entry(self):
        entry = CropForegroundObject(["image", "label"], [8, 8], "label", 3).bundle_entry(FLAT)
        assert entry.arguments == {"keys": FIELDS, "label_key": "label", "spatial_size": [8, 8], "margin": 3}

    def test_headers(self):
        before = {name: Geometry((10, 20), (1.0, 2.0)) for name in ("image", "label", "other")}
        after = CropForegroundObject("image", [20, 10], "label").propagate(before)
        assert after == {**dict.fromkeys(FIELDS, Geometry((20, 10), (0.5, 4.0))), "other": before["other"]}
        with pytest.raises(ClaraError, match=r"\[4, 4, 4\] does not fit field 'image' of 2 spatial axes"):
            CropForegroundObject("image", [4, 4, 4], "label").propagate(before)
        with pytest.raises(ClaraError, match=r"\[4, 4\] has 2 numbers, but the images have 3 spatial axes"):
            CropForegroundObject("image", [4, 4], "label").bundle_entry(BundleContext(spatial_dims=3))

    @pytest.mark.real
    def test_real_spleen(self, build, clara_examples):
        scans = {
            name: nibabel.load(clara_examples / f"sampleData/{name}sTr/spleen_8.nii.gz") for name in ("image", "label")
        }
        voxels = {name: np.asarray(scan.dataobj, np.float32) for name, scan in scans.items()}
        item = {name: MetaTensor(torch.from_numpy(array)[None], affine=torch.from_numpy(scans[name].affine))
                for name, array in voxels.items()}  # fmt: skip
        out = build(CropForegroundObject("image", [64, 48, 20], "label", 5))(item)
        where = np.argwhere(voxels["label"] > 0)
        low = np.maximum(where.min(axis=0) - 5, 0)
        high = np.minimum(where.max(axis=0) + 6, voxels["label"].shape)
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        factors = np.array([64, 48, 20]) / (high - low)
        cut = voxels["image"][box].astype(np.float64)
        expected = ndimage.zoom(cut, factors, order=1, mode="nearest", grid_mode=True)
        assert np.abs(out["image"].numpy()[0] - expected).max() < 1e-5 * np.ptp(cut)
        grid = [
            np.floor((np.arange(m) + 0.5) * (b - a) / m).astype(int)
            for m, a, b in zip((64, 48, 20), low, high, strict=True)
        ]
        np.testing.assert_array_equal(out["label"].numpy()[0], voxels["label"][box][np.ix_(*grid)])
        corner = scans["image"].affine @ [*(low - 0.5), 1]
        np.testing.assert_allclose(out["image"].affine @ torch.tensor([-0.5, -0.5, -0.5, 1]).double(), corner)


class TestSymmetricPadderDiv:
    @pytest.mark.parametrize(("size", "div"), [((5, 8, 9), 4), ((5, 7), 3), ((4, 4), 1)])
    def test_voxels(self, build, size, div):
        image = np.random.default_rng(0).normal(size=(2, *size)).astype(np.float32)
        item = {"image": MetaTensor(torch.from_numpy(image))}
        component = SymmetricPadderDiv("image", div)
        out = build(component, len(size))(item)["image"]
        missing = [-n % div for n in size]
        expected = np.pad(image, [(0, 0), *((m // 2, m - m // 2) for m in missing)])
        np.testing.assert_array_equal(out.numpy(), expected)
        geometry = component.propagate({"image": Geometry(size, (1.0,) * len(size)), "label": Geometry((3,), (1.0,))})
        assert geometry["image"].size == out.shape[1:]
        assert geometry["label"] == Geometry((3,), (1.0,))


class TestPosNegCrops:
    BATCHING = (FastCropByPosNegRatio, CropByPosNegRatio, CropByPosNegRatioLabelOnly)

    @pytest.mark.parametrize("crop", BATCHING)
    def test_a_list_and_it_says_so(self, build, numbered, crop):
        for count in (1, 3):
            component = crop([4, 3, 2], "image", "label", batch_size=count)
            assert component.batches == count
            out = build(component)({**numbered((9, 8, 7)), "path": "x"})
            assert [tuple(each["label"].shape) for each in out] == [(1, 4, 3, 2)] * count
            assert all(same_voxels(each) and each["path"] == "x" for each in out)
        assert crop([4, 3, 2], "image", "label").batches == 1

    def test_one_region_is_no_list(self, build, numbered):
        for component in (
            CropRandomSubVolumeInPosNegRatio([4, 3, 2], "image", "label"),
            FastPosNegRatioCropROI([4, 3, 2], "image", "label", deform=False, rotation=False, scale=False),
        ):
            assert component.batches is None
            assert same_voxels(build(component)(numbered((9, 8, 7))))
        assert RandomAxisFlip("image").batches is None

    @pytest.mark.parametrize("count", [1, 2])
    def test_batches_of_warped_regions(self, build, numbered, count):
        component = FastPosNegRatioCropROI([4, 3, 2], "image", "label", batch_size=count)
        assert component.batches == count
        out = build(component)(numbered((9, 8, 7)))
        assert len(out) == count
        assert len({tuple(each["image"].affine.flatten().tolist()) for each in out}) == count

    @pytest.mark.parametrize("crop", [*BATCHING, CropRandomSubVolumeInPosNegRatio])
    def test_the_ratio_reaches_the_engine(self, crop):
        entry = crop([4, 3, 2], ["image", "second"], "label", 3, 2).bundle_entry(BundleContext())
        assert entry == Entry(
            "clara_compat.engine.transforms.crop_pos_neg_roi.RandCropPosNegROId",
            image_keys=["image", "second"],
            label_key="label",
            spatial_size=[4, 3, 2],
            pos=3,
            neg=2,
            num_samples=None if crop is CropRandomSubVolumeInPosNegRatio else 1,
        )

    def test_later_transforms_draw_for_each_region(self, build, numbered):
        crops = build(FastCropByPosNegRatio([4, 4, 4], "image", "label", batch_size=2))
        flip = build(RandomAxisFlip(FIELDS, 0.5))
        flipped = []
        for _ in range(300):
            out = [flip(each) for each in crops(numbered((6, 6, 6)))]
            assert all(map(same_voxels, out))
            flipped.append([bool((each["image"].affine.diagonal()[:3] < 0).any()) for each in out])
        assert abs(np.corrcoef(np.array(flipped).T)[0, 1]) < 5 / np.sqrt(300)

    def test_the_speed_setting_is_said_to_change_nothing(self):
        [said] = FastCropByPosNegRatio([4, 4, 4], "image", "label", batches_to_gen_at_once=48).notices(BundleContext())
        assert said.startswith("batches_to_gen_at_once is 48: ")
        assert said.endswith("every step takes a volume of its own")
        assert FastCropByPosNegRatio([4, 4, 4], "image", "label").notices(BundleContext()) == []

    def test_headers(self):
        component = FastCropByPosNegRatio([8, 8], "image", "label", batch_size=2)
        before = {name: Geometry((9, 10), (1.0, 2.0)) for name in ("image", "label", "other")}
        after = component.propagate(before)
        assert after == {**dict.fromkeys(FIELDS, Geometry((8, 8), (1.0, 2.0))), "other": before["other"]}
        with pytest.raises(
            ClaraError, match=r"crop of \[8, 8\] voxels is larger than field 'label', which has \[9, 7\]"
        ):
            component.propagate({**before, "label": Geometry((9, 7), (1.0, 2.0))})
        with pytest.raises(ClaraError, match=r"\[8, 8\] has 2 numbers, but the images have 3 spatial axes"):
            component.bundle_entry(BundleContext(spatial_dims=3))

    @pytest.mark.real
    def test_real_spleen(self, build, clara_examples):
        item = {}
        for name in FIELDS:
            scan = nibabel.load(clara_examples / f"sampleData/{name}sTr/spleen_8.nii.gz")
            item[name] = MetaTensor(
                torch.from_numpy(np.asarray(scan.dataobj, np.float32))[None], affine=torch.from_numpy(scan.affine)
            )
        out = build(FastCropByPosNegRatio([31, 31, 31], "image", "label", 1, 0, 50))(item)
        inverse = np.linalg.inv(item["image"].affine.numpy())
        for each in out:
            start = [round(at) for at in (inverse @ each["image"].affine.numpy())[:3, 3]]
            box = (slice(None), *(slice(a, a + 31) for a in start))
            for name in FIELDS:
                np.testing.assert_array_equal(each[name].numpy(), item[name].numpy()[box])
            assert each["label"][0, 15, 15].any()  # the centre, shifted along the short axis only
