"""What the transform components say, and that what they become does it."""

from __future__ import annotations

import logging
import subprocess
import sys
from fractions import Fraction
from math import floor

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import ndimage, stats

from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.component import Fidelity
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.transforms.convert_to_channels_first import ConvertToChannelsFirst
from clara_compat.components.transforms.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI
from clara_compat.components.transforms.load_nifti import LoadNifti
from clara_compat.components.transforms.native import Geometry
from clara_compat.components.transforms.random_spatial_flip import RandomSpatialFlip
from clara_compat.components.transforms.random_zoom import RandomZoom
from clara_compat.components.transforms.save_as_nifti import SaveAsNifti
from clara_compat.components.transforms.scale_by_resolution import ScaleByResolution
from clara_compat.components.transforms.scale_intensity_oscillation import ScaleIntensityOscillation
from clara_compat.components.transforms.scale_intensity_range import ScaleIntensityRange
from clara_compat.components.transforms.scale_shift_intensity import ScaleShiftIntensity
from clara_compat.errors import ClaraError

DRAWS = 2000
CONTEXT = BundleContext()

COMPONENTS = [
    LoadNifti(["image", "label"]),
    ConvertToChannelsFirst(["image", "label"]),
    ScaleByResolution("image", [1, 1, 1]),
    ScaleIntensityRange("image", -57, 164, 0, 1, True),
    RandomZoom("image", "label", [0.9] * 3, [1.1] * 3),
    FastPosNegRatioCropROI([4, 4, 4], "image", "label"),
    RandomSpatialFlip(["image", "label"]),
    ScaleShiftIntensity("image"),
    ScaleIntensityOscillation("image", 0.1),
    SaveAsNifti("image", "/tmp/out"),
]
RANDOM = (RandomZoom, FastPosNegRatioCropROI, RandomSpatialFlip, ScaleShiftIntensity, ScaleIntensityOscillation)


def uniform(values, low, high):
    values = np.asarray(values)
    assert low <= values.min() < low + 0.02 * (high - low)
    assert high - 0.02 * (high - low) < values.max() <= high
    assert values.mean() == pytest.approx((low + high) / 2, abs=5 * (high - low) / np.sqrt(12 * values.size))
    assert values.var() == pytest.approx((high - low) ** 2 / 12, rel=0.1)
    assert stats.kstest(values.ravel(), stats.uniform(low, high - low).cdf).pvalue > 1e-4


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda one: type(one).__name__)
def test_contract(component, build):
    assert isinstance(component.fidelity, Fidelity)
    assert component.fidelity.note
    assert component.is_deterministic() is not isinstance(component, RANDOM)
    entries = component.bundle_entry(CONTEXT)
    entries = entries if isinstance(entries, list) else [entries]
    assert {component.becomes.rsplit(".", 1)[1]} == {entry.target.rsplit(".", 1)[-1] for entry in entries}
    chain = build(component)
    module, name = component.becomes.rsplit(".", 1)
    for transform in chain.transforms:
        assert type(transform).__name__ == name
        assert type(transform).__module__.startswith(module)
    assert component.propagate({"x": ((4, 4, 4), (1.0, 1.0, 1.0))}) == {"x": ((4, 4, 4), (1.0, 1.0, 1.0))}


def test_the_catalogue_is_light():
    names = " ".join(f"import {type(component).__module__};" for component in COMPONENTS)
    check = names + "import sys; assert not {'torch', 'monai', 'nibabel'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScaleIntensityRange("image", 5, 5, 0, 1), "a_min and a_max are both 5"),
        (lambda: ScaleIntensityRange("image", 0, 5, 0, 1, dtype="flaot32"), "'dtype': .*'flaot32'.*float32"),
        (
            lambda: ScaleByResolution("image", [1, -1, 1]),
            r"'target_resolution' is \[1, -1, 1\], expected 2 or 3 positive",
        ),
        (lambda: ScaleByResolution("image", [1.0]), "expected 2 or 3 positive numbers of mm"),
        (lambda: RandomZoom("image", "label", [0.9, 1.2], [1.1, 1.1]), "no lower limit above its upper one"),
        (lambda: RandomZoom("image", "label", [0.9], [1.1, 1.1]), "one positive number per spatial axis"),
        (lambda: RandomZoom("image", "label", [0.0], [1.1]), "one positive number per spatial axis"),
        (lambda: RandomZoom("image", "label", [1.0], [1.1], probability=2), "'probability' is 2, expected"),
        (lambda: RandomSpatialFlip("image", -0.1), "'probability' is -0.1, expected a number from 0 to 1"),
        (lambda: FastPosNegRatioCropROI([4], "image", "label"), r"'size' is \[4\], expected 2 or 3 positive"),
        (lambda: FastPosNegRatioCropROI([4, 4], "image", "label", pos=0, neg=0), "pos and neg are 0 and 0"),
        (lambda: FastPosNegRatioCropROI([4, 4], "image", "label", scale_factor=1), "'scale_factor' is 1, expected"),
        (lambda: FastPosNegRatioCropROI([4, 4], "i", "l", batch_size=0), "'batch_size' is 0, expected a whole number"),
        (lambda: ScaleShiftIntensity("image", scale=-1), "scale and shift are -1 and 0.1, expected"),
        (lambda: LoadNifti([]), "argument 'fields' of LoadNifti"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ClaraError, match=message):
        make()


class TestLoadAndLayout:
    @pytest.mark.parametrize("size", [(6, 5, 4), (6, 5)])
    def test_a_user_sees_the_layout(self, tmp_path, build, size):
        array = np.random.default_rng(0).integers(0, 99, size).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(array, np.diag([1, 2, 3, 1.0])), tmp_path / "a.nii.gz")
        item = {"image": str(tmp_path / "a.nii.gz")}
        for component in (LoadNifti("image"), ConvertToChannelsFirst("image")):
            item = build(component, len(size))(item)
        np.testing.assert_array_equal(item["image"].numpy()[0], array)

    def test_legacy_call(self, tmp_path):
        array = np.random.default_rng(0).integers(0, 99, (6, 5, 4)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(array, np.diag([1, 2, 3, 1.0])), tmp_path / "a.nii.gz")
        context = TransformContext()
        context["image"] = str(tmp_path / "a.nii.gz")
        LoadNifti("image").transform(context)
        image = context.get_image("image")
        assert str(image.get_shape_format()) == "DHW"
        assert image.get_property("spacing") == pytest.approx((1, 2, 3))
        ConvertToChannelsFirst("image").transform(context)
        assert str(context.get_image("image").get_shape_format()) == "CDHW"
        ScaleByResolution("image", [1, 1, 1]).transform(context)
        assert context.get_image("image").get_data().shape == (1, 6, 10, 12)
        assert context.get_image("image").get_property("spacing") == pytest.approx((1, 1, 1))


class TestScaleIntensityRange:
    @pytest.mark.parametrize("clip", [True, False])
    @pytest.mark.parametrize(("b_min", "b_max"), [(0.0, 1.0), (-1, 3)])
    def test_formula(self, build, clip, b_min, b_max):
        x = np.random.default_rng(0).uniform(-1000, 1500, (1, 9, 8, 7)).astype(np.float32)
        out = build(ScaleIntensityRange("image", -57, 164, b_min, b_max, clip))({"image": MetaTensor(x.copy())})[
            "image"
        ]
        reference = (x.astype(np.float64) + 57) / 221 * (b_max - b_min) + b_min
        reference = np.clip(reference, b_min, b_max) if clip else reference
        assert out.dtype == torch.float32
        assert np.abs(out.numpy() - reference).max() < 1e-5
        assert not clip or np.ptp(reference) == b_max - b_min

    @pytest.mark.real
    def test_real_scan(self, build, clara_examples):
        path = str(clara_examples / "sampleData/imagesTr/spleen_8.nii.gz")
        item = build(LoadNifti("image"))({"image": path})
        x = np.asarray(nibabel.load(path).dataobj).astype(np.float64)
        out = build(ScaleIntensityRange("image", -57, 164, 0.0, 1.0, True))(item)["image"]
        assert np.abs(out.numpy()[0] - np.clip((x + 57) / 221, 0, 1)).max() < 1e-5

    def test_dtype(self, build):
        out = build(ScaleIntensityRange("image", 0, 1, 0, 10, dtype="np.int32"))({"image": torch.rand(1, 4, 4)})[
            "image"
        ]
        assert out.dtype == torch.int32


class TestScaleByResolution:
    def test_entry(self):
        entry = ScaleByResolution(["label"], [1, 2, 3], is_label=True).bundle_entry(CONTEXT)
        assert entry == Entry(
            "clara_compat.engine.transforms.resize_to_spacing.ResizeToSpacingd",
            keys=["label"],
            pixdim=[1.0, 2.0, 3.0],
            mode="nearest-exact",
        )
        assert ScaleByResolution("image", [1, 1]).bundle_entry(CONTEXT).arguments["mode"] == "linear"

    def test_header_sizes_are_the_real_ones(self, build, numbered):
        rng = np.random.default_rng(0)
        for _ in range(50):
            size = tuple(int(n) for n in rng.integers(1, 20, 3))
            target = [float(x) for x in rng.choice([0.5, 1.0, 2.0, 3.3], 3)]
            component = ScaleByResolution(["image"], target)
            out = build(component)(numbered(size))["image"]
            geometry = {name: Geometry(size, (2.0, 3.0, 4.0)) for name in ("image", "label")}
            found = component.propagate(geometry)
            assert found["image"][0] == tuple(out.shape[1:])
            np.testing.assert_allclose(found["image"][1], out.pixdim)
            assert found["label"] == geometry["label"]

    def test_headers_that_do_not_fit(self):
        with pytest.raises(ClaraError, match=r"\[1.0, 1.0\] has 2 numbers, but field 'image' has 3 spatial axes"):
            ScaleByResolution("image", [1, 1]).propagate({"image": Geometry((4, 4, 4), (1.0, 1.0, 1.0))})
        with pytest.raises(ClaraError, match=r"field 'image' has the spacing \(1.0, 0.0\), expected positive"):
            ScaleByResolution("image", [1, 1]).propagate({"image": Geometry((4, 4), (1.0, 0.0))})


class TestRandomZoom:
    def test_law(self, build):
        """Sizes of the result, which are rounded down, give the factors: one per axis, uniform, independent."""
        transform = build(RandomZoom("image", "label", [0.8, 0.5], [1.2, 1.5], probability=1.0), 2)
        item = {name: MetaTensor(torch.zeros(1, 60, 40)) for name in ("image", "label")}
        sizes = []
        for _ in range(DRAWS):
            out = transform(item)
            assert out["image"].shape == out["label"].shape
            sizes.append(out["image"].shape[1:])
        factors = (np.array(sizes) + np.random.default_rng(0).random((DRAWS, 2))) / [60, 40]
        uniform(factors[:, 0], 0.8, 1.2)
        uniform(factors[:, 1], 0.5, 1.5)
        assert abs(np.corrcoef(factors.T)[0, 1]) < 5 / np.sqrt(DRAWS)

    @pytest.mark.parametrize("probability", [0.5, 0.1])
    def test_probability(self, build, probability):
        transform = build(RandomZoom("image", "label", [1.5, 1.5], [1.5, 1.5], probability=probability), 2)
        item = {name: MetaTensor(torch.zeros(1, 4, 4)) for name in ("image", "label")}
        zoomed = np.mean([transform(item)["image"].shape[1] == 6 for _ in range(DRAWS)])
        assert zoomed == pytest.approx(probability, abs=5 * 0.5 / np.sqrt(DRAWS))

    @pytest.mark.parametrize("size", [(21, 18, 13), (21, 18)])
    def test_voxels_and_places(self, build, size):
        """Image and label are those of independent references; a place keeps its mm."""
        rng = np.random.default_rng(0)
        rank = len(size)
        image, label = rng.normal(size=(1, *size)).astype(np.float32), rng.integers(0, 9, (1, *size)).astype(np.float32)
        affine = np.diag([-2.0, 3, 4, 1])[[1, 2, 0, 3]]
        item = {name: MetaTensor(torch.from_numpy(x), affine=torch.from_numpy(affine)) for name, x in
                (("image", image), ("label", label))}  # fmt: skip
        transform = build(RandomZoom("image", "label", [0.6] * rank, [1.6] * rank, probability=1.0), rank)
        for _ in range(20):
            out = transform(item)
            new = out["image"].shape[1:]
            factors = [m / n for m, n in zip(new, size, strict=True)]
            reference = ndimage.zoom(image[0].astype(np.float64), factors, order=1, mode="nearest", grid_mode=True)
            assert np.abs(out["image"].numpy()[0] - reference).max() < 1e-5 * np.ptp(image)
            centres = [[(i + Fraction(1, 2)) * n / m for i in range(m)] for n, m in zip(size, new, strict=True)]
            nearest = label[0][np.ix_(*[[floor(c) for c in axis] for axis in centres])]
            clear = np.ix_(*[[i for i, c in enumerate(axis) if c.denominator > 1] for axis in centres])  # no tie
            np.testing.assert_array_equal(out["label"].numpy()[0][clear], nearest[clear])
            for field in ("image", "label"):
                corners = (-0.5, np.array(new) - 0.5), (-0.5, np.array(size) - 0.5)
                for i in range(2):
                    points = [matrix[:3, :rank] @ (np.zeros(rank) + corner[i]) + matrix[:3, 3]
                              for matrix, corner in zip((out[field].affine.numpy(), affine), corners, strict=True)
                             ]  # fmt: skip
                    np.testing.assert_allclose(*points, atol=1e-9)

    def test_keep_size(self, build):
        places = torch.from_numpy(np.indices((20, 20, 20)).astype(np.float32))
        item = {name: MetaTensor(places.clone()) for name in ("image", "label")}
        transform = build(RandomZoom("image", "label", [0.7] * 3, [1.4] * 3, keep_size=True, probability=1.0))
        for _ in range(10):
            out = transform(item)
            assert out["image"].shape == out["label"].shape == (3, 20, 20, 20)
            assert (out["image"] - out["label"]).abs().max() <= 0.501
            index = np.indices((20, 20, 20)).reshape(3, -1)
            affine = out["image"].affine.numpy()
            expected = (affine[:3, :3] @ index + affine[:3, 3:]).reshape(3, 20, 20, 20)
            inside = (slice(None), *(slice(5, -5),) * 3)
            assert np.abs(out["image"].numpy() - expected)[inside].max() < 1e-3

    def test_limits_and_axes(self):
        with pytest.raises(ClaraError, match="have 2 numbers, but the images have 3 spatial axes"):
            RandomZoom("image", "label", [0.9, 0.9], [1.1, 1.1]).bundle_entry(CONTEXT)

    def test_header_sizes_are_the_smallest(self):
        geometry = {name: Geometry((10, 20, 30), (1.0, 1.0, 1.0)) for name in ("image", "label")}
        zoom = RandomZoom("image", "label", [0.55, 0.9, 1.5], [1.6] * 3)
        assert zoom.propagate(geometry)["label"] == Geometry((5, 18, 30), pytest.approx((2.0, 20 / 18, 1.0)))
        always = RandomZoom("image", "label", [0.55, 0.9, 1.5], [1.6] * 3, probability=1.0)
        assert always.propagate(geometry)["image"][0] == (5, 18, 45)
        kept = RandomZoom("image", "label", [0.55, 0.9, 1.5], [1.6] * 3, keep_size=True)
        assert kept.propagate(geometry) == geometry
        with pytest.raises(ClaraError, match=r"'image' has \[10, 1, 10\] .*leaves an axis empty"):
            always.propagate({"image": Geometry((10, 1, 10), (1.0, 1.0, 1.0))})


class TestFastPosNegRatioCropROI:
    def test_warps_left_out_are_on_and_said(self):
        assert FastPosNegRatioCropROI([4, 4, 4], "image", "label", deform=True, scale=False).notices(CONTEXT) == [
            "rotation is not given, so it is on (assumed default)"
        ]
        [said] = FastPosNegRatioCropROI([4, 4, 4], "image", "label").notices(CONTEXT)
        assert said == "deform and rotation and scale are not given, so they are on (assumed default)"

    def test_defaults_warp(self):
        assert FastPosNegRatioCropROI([4, 5, 6], "image", "label").bundle_entry(CONTEXT).arguments == {
            "image_keys": ["image"],
            "label_key": "label",
            "spatial_size": [4, 5, 6],
            "pos": 1,
            "neg": 1,
            "num_samples": None,
            "rotate_degrees": 20,
            "scale_factor": 0.1,
            "deform": True,
        }

    def test_flags_as_text(self):
        component = FastPosNegRatioCropROI([4, 5, 6], "image", "label", deform="false", rotation="no", scale="true")
        assert (component.deform, component.rotation, component.scale, component.left_out) == (False, False, True, [])

    def test_a_crop_of_other_axes_than_the_images(self):
        with pytest.raises(ClaraError, match=r"\[4, 5\] has 2 numbers, but the images have 3 spatial axes"):
            FastPosNegRatioCropROI([4, 5], "image", "label").bundle_entry(CONTEXT)

    @pytest.mark.parametrize("rank", [2, 3])
    def test_switched_off_it_is_a_plain_crop(self, build, numbered, rank):
        size = (9, 8, 7)[:rank]
        component = FastPosNegRatioCropROI([4, 3, 2][:rank], "image", "label", 1, 1, False, False, 20, False, 0.1)
        transform = build(component, rank)
        voxels = set(range(int(np.prod(size))))
        for _ in range(20):
            out = transform(numbered(size))
            assert out["image"].shape == (1, *(4, 3, 2)[:rank])
            assert torch.equal(out["image"].as_tensor(), out["label"].as_tensor())
            assert set(out["image"].flatten().int().tolist()) <= voxels

    def test_header_sizes(self):
        component = FastPosNegRatioCropROI([8, 8, 8], "image", "label", batch_size=1)
        other = Geometry((1, 1, 1), (1.0, 1.0, 1.0))
        out = component.propagate({"image": Geometry((9, 8, 10), (1.0, 2.0, 3.0)), "other": other})
        assert out == {"image": Geometry((8, 8, 8), (1.0, 2.0, 3.0)), "other": other}
        with pytest.raises(
            ClaraError, match=r"crop of \[8, 8, 8\] voxels is larger than field 'label', .* \[8, 7, 8\]"
        ):
            component.propagate({"label": Geometry((8, 7, 8), (1.0, 2.0, 3.0))})
        with pytest.raises(ClaraError, match=r"\[8, 8, 8\] does not fit field 'image' of 2 spatial axes"):
            component.propagate({"image": Geometry((8, 7), (1.0, 2.0))})


class TestRandomSpatialFlip:
    @pytest.mark.parametrize(("rank", "probability"), [(2, 0.2), (3, 0.5)])
    def test_law(self, build, numbered, rank, probability):
        """Each axis by itself; image and label alike; a place keeps its mm."""
        size = (2, 3, 4)[:rank]
        item = numbered(size)
        original = item["image"].numpy()
        transform = build(RandomSpatialFlip(["image", "label"], probability), rank)
        flips = []
        for _ in range(DRAWS):
            out = transform(item)
            corner = int(out["image"].flatten()[0])
            flipped = np.array(np.unravel_index(corner, size)) > 0
            flips.append(flipped)
            axes = tuple(np.flatnonzero(flipped) + 1)
            np.testing.assert_array_equal(out["image"].numpy(), np.flip(original, axes))
            assert torch.equal(out["image"].as_tensor(), out["label"].as_tensor())
            matrix = out["image"].affine.numpy()
            for axis in range(rank):  # voxel 0 now lies where the last one was
                spacing = (2.0, 3.0, 4.0)[axis]
                assert matrix[axis, axis] == (-spacing if flipped[axis] else spacing)
                assert matrix[axis, 3] == (spacing * (size[axis] - 1) if flipped[axis] else 0)
        flips = np.array(flips)
        np.testing.assert_allclose(flips.mean(axis=0), probability, atol=5 * 0.5 / np.sqrt(DRAWS))
        assert np.abs(np.corrcoef(flips.T.astype(float)) - np.eye(rank)).max() < 5 / np.sqrt(DRAWS)


class TestScaleShiftIntensity:
    def test_law(self, build):
        x = np.random.default_rng(0).normal(5, 2, (1, 3, 4, 5))
        transform = build(ScaleShiftIntensity("image"))
        item = {"image": MetaTensor(torch.from_numpy(x)), "label": torch.ones(1, 3, 4, 5)}
        fits = []
        for _ in range(DRAWS):
            out = transform(item)
            slope, offset = np.polyfit(x.ravel(), out["image"].numpy().ravel(), 1)
            fits.append((slope, offset / (slope * x.std())))
            assert out["label"] is item["label"]
        uniform(np.array(fits)[:, 0], 0.9, 1.1)
        uniform(np.array(fits)[:, 1], -0.1, 0.1)


class TestScaleIntensityOscillation:
    def test_law(self, build):
        """One constant per field, for all its channels."""
        item = {"image": MetaTensor(torch.rand(2, 3, 4)), "second": MetaTensor(torch.rand(1, 3, 4)), "label": 1}
        transform = build(ScaleIntensityOscillation(["image", "second"], 0.3), 2)
        offsets = []
        for _ in range(DRAWS):
            out = transform(item)
            difference = [(out[key] - item[key]).numpy() for key in ("image", "second")]
            assert max(np.ptp(one) for one in difference) < 1e-6
            offsets.append([one.mean() for one in difference])
            assert out["label"] == 1
        offsets = np.array(offsets)
        for one in offsets.T:
            uniform(one, -0.3 - 1e-7, 0.3 + 1e-7)
        assert abs(np.corrcoef(offsets.T)[0, 1]) < 5 / np.sqrt(DRAWS)

    def test_probability(self, build):
        transform = build(ScaleIntensityOscillation("image", 0.3, probability=0.3))
        item = {"image": MetaTensor(torch.zeros(1, 2, 2, 2))}
        changed = [bool(transform(item)["image"].any()) for _ in range(DRAWS)]
        assert np.mean(changed) == pytest.approx(0.3, abs=5 * 0.5 / np.sqrt(DRAWS))

    def test_dtype(self, build):
        assert build(ScaleIntensityOscillation("image", 1, dtype="float64"))({"image": torch.zeros(1, 2, 2)})[
            "image"
        ].dtype == torch.float64  # fmt: skip


class TestSaveAsNifti:
    @pytest.mark.parametrize(
        ("out_dir", "expected"),
        [
            ("{mmar}/debug", "{mmar}/debug"),
            ("taps", "{mmar}/taps"),
            ("/claraDevDay/tmp/_debugPatches/", "{mmar}/models/debug"),
            ("../elsewhere", "{mmar}/models/debug"),
            ("{mmar}_2/taps", "{mmar}/models/debug"),
        ],
    )
    def test_a_folder_outside_the_mmar_is_replaced(self, tmp_path, out_dir, expected):
        mmar = str(tmp_path / "mmar")
        context = BundleContext(mmar=mmar, debug_dir=f"{mmar}/models/debug")
        component = SaveAsNifti(["image"], out_dir.format(mmar=mmar), interrupt=True)
        entry = component.bundle_entry(context)
        assert entry.arguments == {"keys": ["image"], "output_dir": expected.format(mmar=mmar), "interrupt": True}
        assert component.is_redirected(context) is (expected == "{mmar}/models/debug")

    def test_beside_the_outputs_is_fine_and_so_is_anything_without_an_mmar(self):
        component = SaveAsNifti("image", "/out/taps")
        assert not component.is_redirected(BundleContext(mmar="/mmar", debug_dir="/out/debug"))
        assert component.is_redirected(BundleContext(mmar="/mmar", debug_dir=Expression("$@ckpt_dir + '/debug'")))
        assert component.bundle_entry(CONTEXT).arguments["output_dir"] == "/out/taps"

    def test_it_writes(self, tmp_path, build, numbered, caplog):
        with caplog.at_level(logging.WARNING):
            out = build(SaveAsNifti(["image", "label"], str(tmp_path)))(numbered((4, 3, 2)))
        assert torch.equal(out["image"].as_tensor(), numbered((4, 3, 2))["image"].as_tensor())
        assert sorted(path.name for path in tmp_path.iterdir()) == ["item_image_n1.nii.gz", "item_label_n1.nii.gz"]
        assert nibabel.load(tmp_path / "item_image_n1.nii.gz").header.get_zooms() == (2, 3, 4)
        assert not caplog.records
