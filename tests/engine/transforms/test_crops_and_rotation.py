"""The crops, pads and rotations that MONAI lacks, against numpy, scipy and, where it has one, MONAI's own."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import ResizeWithPadOrCropd
from scipy import ndimage

from clara_compat.engine import properties
from clara_compat.engine.transforms.crop_fixed_size import CenterCropOrPadd, RandCropOrPadd
from clara_compat.engine.transforms.crop_foreground_resized import CropForegroundResized
from clara_compat.engine.transforms.crop_random_size import RandCropDisplacedd
from clara_compat.engine.transforms.region import cut_box
from clara_compat.engine.transforms.rotate_2d import RandRotate2Dd, Rotate2Dd
from clara_compat.errors import ClaraError

FIELDS = ["image", "label"]


def tensor(values, affine=None, file="scan.nii"):
    values = np.ascontiguousarray(values)
    affine = torch.eye(4, dtype=torch.float64) if affine is None else torch.from_numpy(affine)
    return MetaTensor(torch.from_numpy(values), affine=affine, meta={"filename_or_obj": file})


def noise(shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).normal(50, 30, shape).astype(dtype)


class TestCutBox:
    @pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8, bool])
    @pytest.mark.parametrize(
        ("start", "size"),
        [((1, 2, 0), (3, 2, 5)), ((-2, 0, -1), (9, 4, 7)), ((5, -3, 2), (4, 4, 4)), ((6, 0, 0), (2, 2, 2))],
    )
    def test_voxels(self, start, size, dtype, oblique_affine):
        image = noise((2, 6, 5, 5), dtype)
        given = tensor(image, oblique_affine)
        properties.write(given, {"file_name": "a.nii"})
        out = cut_box(given, start, size)
        padded = np.pad(image, [(0, 0)] + [(20, 20)] * 3)
        expected = padded[(slice(None), *(slice(a + 20, a + 20 + n) for a, n in zip(start, size, strict=True)))]
        np.testing.assert_array_equal(out.numpy(), expected)
        assert out.numpy().dtype == dtype
        np.testing.assert_allclose(out.affine[:3, 3], (oblique_affine @ [*start, 1])[:3])
        np.testing.assert_array_equal(out.affine[:3, :3], oblique_affine[:3, :3])
        assert properties.read(out)["file_name"] == "a.nii"

    def test_a_copy(self):
        image = tensor(noise((1, 8, 8, 8)))
        for size in ((4, 4, 4), (8, 8, 8)):
            out = cut_box(image, (0, 0, 0), size)
            assert out.untyped_storage().nbytes() == 4 * np.prod(size)
            assert out.data_ptr() != image.data_ptr()
        plain = cut_box(image.as_tensor(), (0, 0, 0), (2, 2, 2))
        assert type(plain) is torch.Tensor


class TestFixedSize:
    @pytest.mark.parametrize(
        ("size", "crop"),
        [((9, 8, 7), (4, 4, 4)), ((9, 8, 7), (5, 3, 7)), ((4, 5, 7), (9, 8, 4)), ((3, 4), (8, 8)), ((10, 11), (3, 8))],
    )
    def test_centre(self, size, crop):
        image = noise((2, *size))
        out = CenterCropOrPadd("image", crop)({"image": tensor(image)})["image"]
        assert torch.equal(
            out.as_tensor(), ResizeWithPadOrCropd("image", crop)({"image": tensor(image)})["image"].as_tensor()
        )
        expected = np.zeros((2, *crop), np.float32)
        pairs = [_centred(n, m) for n, m in zip(size, crop, strict=True)]
        expected[(slice(None), *(new for _, new in pairs))] = image[(slice(None), *(old for old, _ in pairs))]
        np.testing.assert_array_equal(out.numpy(), expected)

    @pytest.mark.parametrize("transform", [CenterCropOrPadd, RandCropOrPadd])
    def test_a_smaller_image_is_padded_and_said_once(self, transform, caplog):
        item = {name: tensor(np.ones((1, 4, 9, 3))) for name in FIELDS}
        crop = transform(FIELDS, (7, 5, 4))
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                out = crop(item)["image"]
        assert out.shape == (1, 7, 5, 4)
        assert out.sum() == 4 * 5 * 3
        assert out[0, 1:5, :, 0:3].all()  # the smaller half of an odd number in front
        [record] = caplog.records
        assert record.getMessage() == (
            "field 'image' has [4, 9, 3] voxels, fewer than the crop of [7, 5, 4]: it is padded with zeros (scan.nii); "
            "this is said once"
        )

    @pytest.mark.parametrize("transform", [CenterCropOrPadd, RandCropOrPadd])
    def test_what_does_not_fit(self, transform):
        with pytest.raises(ClaraError, match="must be 2 or 3 positive numbers of voxels, got"):
            transform("image", (3, 0))
        with pytest.raises(ClaraError, match=r"\[3, 3\] has 2 numbers, but field 'image' has 3 .*\(scan.nii\)"):
            transform("image", (3, 3))({"image": tensor(noise((1, 4, 4, 4)))})
        with pytest.raises(KeyError, match="`image`"):
            transform("image", (3, 3))({})
        assert transform("image", (3, 3), allow_missing_keys=True)({"label": 1}) == {"label": 1}

    def test_fields_cut_together_must_be_of_one_shape(self):
        item = {"image": tensor(noise((1, 9, 8))), "label": tensor(noise((1, 9, 7)), file="mask.nii")}
        for transform in (RandCropOrPadd(FIELDS, (4, 4)), RandCropDisplacedd(FIELDS, (4, 4))):
            with pytest.raises(
                ClaraError, match=r"'label' has the shape \(9, 7\) and field 'image' \(9, 8\).*\(mask.nii, scan.nii\)"
            ):
                transform(item)
        out = CenterCropOrPadd(FIELDS, (4, 4))(item)  # each by itself
        assert out["image"].shape == out["label"].shape == (1, 4, 4)


def _centred(n, m):
    """The slices of n old and m new voxels that a central crop or pad brings together."""
    if n >= m:
        return slice(n // 2 - m // 2, n // 2 - m // 2 + m), slice(0, m)
    return slice(0, n), slice((m - n) // 2, (m - n) // 2 + n)


class TestRandomSize:
    def test_what_does_not_fit(self):
        with pytest.raises(ClaraError, match="must be 2 or 3 positive numbers of voxels, got"):
            RandCropDisplacedd("image", (3,))
        with pytest.raises(ClaraError, match="displacement must be at least 0 voxels, got -1"):
            RandCropDisplacedd("image", (3, 3), -1)
        with pytest.raises(ClaraError, match=r"at least \[5, 3\] .*'image', which has \[4, 4\] .*\(scan.nii\)"):
            RandCropDisplacedd("image", (5, 3))({"image": tensor(noise((1, 4, 4)))})
        with pytest.raises(ClaraError, match=r"\[3, 3\] has 2 numbers, but field 'image' has 3 "):
            RandCropDisplacedd("image", (3, 3))({"image": tensor(noise((1, 4, 4, 4)))})

    def test_the_whole_image(self):
        image = tensor(noise((1, 4, 5)))
        out = RandCropDisplacedd("image", (4, 5), 3)({"image": image})["image"]
        assert torch.equal(out.as_tensor(), image.as_tensor())


class TestForeground:
    @pytest.mark.parametrize("size", [(20, 17, 15), (20, 17)])
    @pytest.mark.parametrize("margin", [0, 2, 30])
    def test_voxels_and_places(self, size, margin, oblique_affine, world):
        rank = len(size)
        new = (9, 11, 8)[:rank]
        mask = np.zeros((2, *size), np.uint8)
        mask[(1, 5, 4, 7)[: rank + 1]] = 3
        mask[(0, 12, 16, 2)[: rank + 1]] = 1  # at the border of the second axis
        label = tensor(mask * np.array([1, 2], np.uint8).reshape(2, *[1] * rank), oblique_affine)
        image = noise((3, *size))
        item = {"image": tensor(image, oblique_affine), "label": label, "other": "text"}
        item["place"] = tensor(world(oblique_affine, size), oblique_affine)
        out = CropForegroundResized(["image", "place"], "label", new, margin)(item)
        assert out["other"] == "text"
        box = [(5, 13), (4, 17), (2, 8)][:rank]
        box = [slice(max(a - margin, 0), min(b + margin, n)) for (a, b), n in zip(box, size, strict=True)]
        cut = image[(slice(None), *box)].astype(np.float64)
        for channel, found in zip(cut, out["image"].numpy(), strict=True):
            factors = [m / n for m, n in zip(new, channel.shape, strict=True)]
            expected = ndimage.zoom(channel, factors, order=1, mode="nearest", grid_mode=True)
            assert np.abs(found - expected).max() < 1e-5 * np.ptp(image)
        grid = [
            np.floor((np.arange(m) + 0.5) * (s.stop - s.start) / m).astype(int) for m, s in zip(new, box, strict=True)
        ]
        expected = label.numpy()[(slice(None), *box)][(slice(None), *np.ix_(*grid))]
        np.testing.assert_array_equal(out["label"].numpy(), expected)
        assert out["label"].dtype == torch.uint8
        inner = (slice(None), *(slice(1, -1),) * rank)  # at the border the outermost voxel continues
        places = world(out["place"].affine.numpy(), new)
        np.testing.assert_allclose(out["place"].numpy()[inner], places[inner], atol=1e-6)
        np.testing.assert_array_equal(out["place"].affine, out["label"].affine)
        norms = np.linalg.norm(out["image"].affine.numpy()[:3, :rank], axis=0)
        extents = np.linalg.norm(oblique_affine[:3, :rank], axis=0) * [s.stop - s.start for s in box]
        np.testing.assert_allclose(norms * new, extents)

    def test_an_empty_label_takes_the_whole_image_and_says_so_once_per_file(self, caplog):
        crop = CropForegroundResized("image", "label", (4, 4))
        with caplog.at_level(logging.WARNING):
            for file in ("a.nii", "b.nii", "a.nii"):
                item = {"image": tensor(noise((1, 8, 8))), "label": tensor(np.zeros((1, 8, 8)), file=file)}
                out = crop(item)
        expected = item["image"].numpy().reshape(1, 4, 2, 4, 2).mean(axis=(2, 4))
        np.testing.assert_allclose(out["image"].numpy(), expected, rtol=1e-5)
        assert out["label"].shape == (1, 4, 4)
        assert [record.getMessage() for record in caplog.records] == [
            f"field 'label' has no foreground: the whole image is taken ({file})" for file in ("a.nii", "b.nii")
        ]

    def test_a_box_of_the_right_size_is_a_copy(self):
        item = {name: tensor(np.ones((1, 4, 4))) for name in FIELDS}
        out = CropForegroundResized(FIELDS, "label", (4, 4))(item)
        for name in FIELDS:
            assert torch.equal(out[name].as_tensor().double(), item[name].as_tensor())
            assert out[name].data_ptr() != item[name].data_ptr()

    def test_what_does_not_fit(self):
        with pytest.raises(ClaraError, match="margin around the foreground must be at least 0 voxels, got -1"):
            CropForegroundResized("image", "label", (4, 4), -1)
        item = {"image": tensor(noise((1, 8, 8))), "label": tensor(noise((1, 8, 7)), file="mask.nii")}
        with pytest.raises(ClaraError, match=r"'label' has the shape \(8, 7\) and field 'image' \(8, 8\)"):
            CropForegroundResized("image", "label", (4, 4))(item)
        with pytest.raises(ClaraError, match=r"\[4, 4, 4\] has 3 numbers, but field 'label' has 2 "):
            CropForegroundResized("image", "label", (4, 4, 4))({**item, "label": item["image"]})
        with pytest.raises(KeyError, match="`second`"):
            CropForegroundResized(["image", "second"], "label", (4, 4))(item)


class TestRotation:
    @pytest.mark.parametrize("size", [(21, 21), (16, 25), (1, 9)])
    @pytest.mark.parametrize("degrees", [33.3, -120.0, 400.0, 0.0])
    def test_voxels(self, size, degrees):
        image = noise((2, *size))
        out = Rotate2Dd(FIELDS, degrees, ["bilinear", "nearest"])({name: tensor(image) for name in FIELDS})
        centre = [(n - 1) / 2 for n in size]
        new = (np.arange(size[0])[:, None] - centre[0]) + 1j * (np.arange(size[1]) - centre[1])
        old = new * np.exp(-1j * np.radians(degrees))
        places = np.stack([old.real + centre[0], old.imag + centre[1]])
        for channel, linear, nearest in zip(image, out["image"].numpy(), out["label"].numpy(), strict=True):
            expected = ndimage.map_coordinates(channel.astype(np.float64), places, order=1, mode="grid-constant")
            assert np.abs(linear - expected).max() < 1e-5 * np.ptp(image)
            row, column = np.floor(np.round(places, 9) + 0.5).astype(int) + 1
            outside = (row < 1) | (row > size[0]) | (column < 1) | (column > size[1])
            chosen = np.pad(channel, 1)[np.clip(row, 0, size[0] + 1), np.clip(column, 0, size[1] + 1)]
            np.testing.assert_array_equal(nearest, np.where(outside, 0, chosen))
            reference = ndimage.rotate(
                channel.astype(np.float64), degrees, reshape=False, order=1, mode="grid-constant"
            )
            assert np.abs(linear - reference).max() < 1e-5 * np.ptp(image)

    @pytest.mark.parametrize("turns", [-5, -1, 1, 2, 3, 4])
    @pytest.mark.parametrize("n", [8, 9])
    def test_quarter_turns_of_a_square_are_exact(self, turns, n):
        image = noise((1, n, n))
        image[:, ::2] = 0
        out = Rotate2Dd(FIELDS, 90 * turns, ["bilinear", "nearest"])({name: tensor(image) for name in FIELDS})
        for name in FIELDS:
            np.testing.assert_array_equal(out[name].numpy(), np.rot90(image, turns, (1, 2)))

    def test_half_a_turn_of_any_image_is_exact(self):
        image = noise((3, 6, 9))
        out = Rotate2Dd("image", 180)({"image": tensor(image)})["image"]
        np.testing.assert_array_equal(out.numpy(), image[:, ::-1, ::-1])

    def test_a_quarter_turn_between_voxels(self):
        """Sizes whose sum is odd: the voxels of the result lie between old ones; nearest takes the upper one."""
        values = np.arange(1.0, 7.0).reshape(1, 2, 3)
        out = Rotate2Dd(FIELDS, 90, ["bilinear", "nearest"])({name: tensor(values) for name in FIELDS})
        turned = np.pad(np.rot90(values[0]), ((0, 0), (1, 1)))  # 3 x 4; the result is its middle of 2 x 3
        between = (turned[:2] + turned[1:]) / 2
        np.testing.assert_allclose(out["image"].numpy()[0], (between[:, :-1] + between[:, 1:]) / 2)
        assert set(out["label"].unique().tolist()) <= set(range(7))

    @pytest.mark.parametrize(("dtype", "expected"), [("float64", 2.5), ("uint8", 2), ("int16", 2), ("float32", 2.5)])
    def test_dtype(self, dtype, expected):
        item = {"image": tensor(np.full((1, 5, 5), 2.5))}
        out = Rotate2Dd("image", 45, dtype=dtype)(item)["image"]
        assert str(out.dtype) == f"torch.{dtype}"
        assert out[0, 2, 2] == expected

    def test_labels_of_whole_numbers_stay_whole(self):
        item = {"label": tensor(np.random.default_rng(0).integers(0, 5, (1, 30, 20)).astype(np.uint8))}
        out = RandRotate2Dd("label", 90, "nearest").set_random_state(0)(item)["label"]
        assert set(out.unique().tolist()) <= set(range(5))
        assert out.dtype == torch.float32

    def test_what_does_not_fit(self):
        for transform in (Rotate2Dd("image", 10), RandRotate2Dd("image", 10)):
            with pytest.raises(ClaraError, match=r"'image' has 3 spatial axes, but only 2-D .*\(scan.nii\)"):
                transform({"image": tensor(noise((1, 4, 4, 4)))})
        with pytest.raises(ClaraError, match="finite number of degrees, got nan"):
            Rotate2Dd("image", float("nan"))
        with pytest.raises(ClaraError, match=r"unknown interpolation \['cubic'\], expected one of bilinear, nearest"):
            Rotate2Dd("image", 10, "cubic")
