"""Resampling and intensity transforms: that what they become has the numbers and the laws."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy import ndimage, special, stats

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.entry import BundleContext
from clara_compat.components.transforms.add_gaussian_noise import AddGaussianNoise
from clara_compat.components.transforms.adjust_contrast import AdjustContrast
from clara_compat.components.transforms.center_data import CenterData
from clara_compat.components.transforms.load_nifti import LoadNifti
from clara_compat.components.transforms.native import Geometry
from clara_compat.components.transforms.normalize_nonzero_intensities import NormalizeNonzeroIntensities
from clara_compat.components.transforms.random_gaussian_smooth import RandomGaussianSmooth
from clara_compat.components.transforms.random_sharpen import RandomSharpen
from clara_compat.components.transforms.restore_original_shape import RestoreOriginalShape
from clara_compat.components.transforms.scale_by_factor import ScaleByFactor
from clara_compat.components.transforms.scale_by_resolution import ScaleByResolution
from clara_compat.components.transforms.scale_by_spacing import ScaleBySpacing
from clara_compat.components.transforms.scale_to_shape import ScaleToShape
from clara_compat.engine import properties
from clara_compat.errors import ClaraError

DRAWS = 2000
CONTEXT = BundleContext()


def uniform(values, low, high):
    values = np.asarray(values)
    assert low <= values.min() < low + 0.02 * (high - low)
    assert high - 0.02 * (high - low) < values.max() <= high
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 1e-4


def is_share(hits, probability):
    assert np.mean(hits) == pytest.approx(probability, abs=5 * 0.5 / np.sqrt(len(hits)))


def linear(array, size):
    """scipy in float64, both grids over the same extent."""
    factors = [m / n for m, n in zip(size, array.shape, strict=True)]
    return ndimage.zoom(array.astype(np.float64), factors, order=1, mode="nearest", grid_mode=True)


def nearest(array, size):
    index = [[floor((i + Fraction(1, 2)) * n / m) for i in range(m)] for n, m in zip(array.shape, size, strict=True)]
    return array[np.ix_(*index)]


@pytest.fixture(scope="module")
def scan(clara_examples):
    """A middle part of the real CT scan and of its label, float32."""
    folder = clara_examples / "sampleData"
    context = TransformContext()
    for field, kind in (("image", "imagesTr"), ("label", "labelsTr")):
        context[field] = str(folder / kind / "spleen_8.nii.gz")
    LoadNifti(["image", "label"]).transform(context)
    part = (slice(60, 180), slice(180, 300), slice(6, 28))
    return {field: context.get_image(field).get_data()[part].copy() for field in ("image", "label")}


@pytest.mark.real
class TestOnTheRealScan:
    @pytest.fixture
    def item(self, scan):
        return {field: MetaTensor(torch.from_numpy(array[None])) for field, array in scan.items()}

    @pytest.mark.parametrize(
        ("make", "size"),
        [
            (lambda label: ScaleByFactor(["label" if label else "image"], [0.75, 1.25, 2], label), (90, 150, 44)),
            (lambda label: ScaleToShape("label" if label else "image", [64, 64, 32], label), (64, 64, 32)),
            (lambda label: ScaleBySpacing("label" if label else "image", [0.9, 1.1, 0.5], label), (133, 109, 44)),
        ],
    )
    @pytest.mark.parametrize("label", [False, True])
    def test_resampling(self, build, scan, item, make, size, label):
        field = "label" if label else "image"
        out = build(make(label))(item)[field].numpy()[0]
        if label:
            assert scan[field].sum() > 1000
            np.testing.assert_array_equal(out, nearest(scan[field], size))
        else:
            assert np.abs(out - linear(scan[field], size)).max() < 1e-5 * np.ptp(scan[field])

    @pytest.mark.parametrize(("field", "label"), [("image", False), ("label", True)])
    def test_restoring(self, build, scan, item, field, label):
        size = scan[field].shape
        properties.write(item["image"], {"original_shape": size, "original_shape_format": "DHW"})
        item = build(ScaleToShape(field, [50, 70, 40], label))(item)
        out = build(RestoreOriginalShape(field, "image", label))(item)[field]
        expected = (nearest if label else linear)(item[field].numpy()[0], size)
        assert np.abs(out.numpy()[0] - expected).max() <= (0 if label else 1e-5 * np.ptp(scan[field]))
        np.testing.assert_allclose(out.affine.numpy(), np.eye(4), atol=1e-9)

    def test_normalisation(self, build, scan, item):
        x = scan["image"].astype(np.float64)
        assert (x == 0).any()
        inside = x[x != 0]
        out = build(NormalizeNonzeroIntensities("image"))(item)["image"].numpy()[0]
        assert np.abs(out - np.where(x == 0, 0, (x - inside.mean()) / inside.std())).max() < 1e-5
        out = build(CenterData("image"))(item)["image"].numpy()[0]
        assert np.abs(out - (x - x.mean()) / x.std()).max() < 1e-5

    def test_sharpening_and_smoothing(self, build, scan, item):
        x = scan["image"][:60, :60].astype(np.float64)
        item["image"] = MetaTensor(torch.from_numpy(scan["image"][None, :60, :60]))
        chain = build(RandomGaussianSmooth("image", 1.0))
        out = chain(item)["image"].numpy()[0]
        drawn = chain.transforms[0].rand_smooth
        assert np.abs(out - smooth(x, (drawn.x, drawn.y, drawn.z))).max() < 1e-5 * np.ptp(x)
        chain = build(RandomSharpen("image", 1.0))
        out = chain(item)["image"].numpy()[0]
        drawn = chain.transforms[0].rand_sharpen
        once = smooth(x, (drawn.x1, drawn.y1, drawn.z1))
        expected = once + drawn.a * (once - smooth(once, (drawn.x2, drawn.y2, drawn.z2)))
        assert np.abs(out - expected).max() < 1e-5 * np.ptp(expected)


def smooth(array, sigmas):
    """Separable kernels of the Gaussian's integral over each voxel, cut at 4 standard deviations; 0 outside."""
    for axis, sigma in enumerate(sigmas):
        reach = int(max(4 * sigma, 0.5) + 0.5)
        edges = np.arange(-reach, reach + 2) - 0.5
        kernel = np.diff(special.ndtr(edges / sigma))
        array = ndimage.correlate1d(array, kernel, axis, mode="constant")
    return array


class TestHeaders:
    @pytest.mark.parametrize(
        ("component", "size", "spacing"),
        [
            (ScaleByFactor("image", 0.5), (5, 2, 1), (2.0, 2.5, 2.0)),  # 2.5 to 2, 0.5 to 1
            (ScaleByFactor("image", [2, 1, 1]), (20, 5, 1), (0.5, 1.0, 2.0)),
            (ScaleToShape("image", [4, 10, 3]), (4, 10, 3), (2.5, 0.5, 2 / 3)),
            (ScaleBySpacing("image", [2, 2.5, 4]), (5, 2, 1), (2.0, 2.5, 2.0)),
        ],
    )
    def test_sizes(self, component, size, spacing):
        other = Geometry((9,), (9.0,))
        told = component.propagate({"image": Geometry((10, 5, 1), (1.0, 1.0, 2.0), 3), "other": other})
        assert told == {"image": Geometry(size, pytest.approx(spacing), 3), "other": other}
        assert component.propagate({}) == {}

    @pytest.mark.parametrize(
        ("component", "message"),
        [
            (ScaleByFactor("image", [1, 1]), "there are 2 factors, but field 'image' has 3 spatial axes"),
            (ScaleToShape("image", [1, 1]), r"\[1, 1\] has 2 numbers, but field 'image' has 3 spatial axes"),
            (ScaleBySpacing("image", [1, 1]), r"\[1.0, 1.0\] has 2 numbers, but field 'image' has 3 spatial axes"),
        ],
    )
    def test_other_axes(self, component, message):
        with pytest.raises(ClaraError, match=message):
            component.propagate({"image": Geometry((4, 4, 4), (1.0, 1.0, 1.0))})


class TestScaleBySpacing:
    def test_is_scale_by_resolution(self):
        for arguments in (("image", [1.0, 2.0, 3.0]), (["label"], [1.0, 1.0], True)):
            one, other = (cls(*arguments).bundle_entry(CONTEXT) for cls in (ScaleBySpacing, ScaleByResolution))
            assert one == other


def test_what_nobody_documented_says_so():
    assert all(cls.undocumented for cls in (ScaleBySpacing, ScaleToShape, CenterData))
    assert not any(cls.undocumented for cls in (ScaleByFactor, ScaleByResolution, RestoreOriginalShape))


class TestRestoreOriginalShape:
    def test_whatever_the_layout(self):
        """As a validation config has it: resample, predict, restore; a user sees his arrays in his layout."""
        rng = np.random.default_rng(0)
        for layout, shape in (("DHW", (7, 6, 5)), ("DHWC", (7, 6, 5, 2)), ("CHW", (2, 7, 6)), ("HW", (7, 6))):
            array = rng.normal(size=shape).astype(np.float32)
            image = MedicalImage(array, layout)
            image.set_property("original_shape", shape)
            image.set_property("original_shape_format", layout)
            context = TransformContext()
            context.set_image("image", image)
            ScaleByFactor("image", 2).transform(context)
            spatial = "CDHW"[-len(shape):] if "C" not in layout else layout  # fmt: skip
            double = tuple(n if letter == "C" else 2 * n for n, letter in zip(shape, spatial, strict=True))
            assert context.get_image("image").get_data().shape == double
            prediction = context.get_image("image").get_data()
            context.set_image("model", MedicalImage(prediction, layout))
            RestoreOriginalShape("model", "image").transform(context)
            out = context.get_image("model").get_data()
            assert out.shape == shape
            axes = [i for i, letter in enumerate(spatial) if letter != "C"]
            expected = prediction.astype(np.float64)
            for axis in axes:  # two voxels of half the size around each centre
                expected = expected.reshape([*expected.shape[:axis], -1, 2, *expected.shape[axis + 1 :]]).mean(axis + 1)
            assert np.abs(out - expected).max() < 1e-6

    def test_a_source_that_was_not_loaded(self, build, numbered):
        with pytest.raises(RuntimeError) as caught:
            build(RestoreOriginalShape("label", "image"))(numbered((3, 3, 3)))
        assert "field 'image' has no property 'original_shape'" in str(caught.value.__cause__)


class TestCenterData:
    @pytest.mark.parametrize("size", [(2, 9, 8, 7), (1, 30, 20)])
    @pytest.mark.parametrize(
        ("arguments", "law"),
        [
            ({}, lambda x: (x - x.mean()) / x.std()),
            ({"subtrahend": 40}, lambda x: (x - 40) / x.std()),
            ({"divisor": 2.5}, lambda x: (x - x.mean()) / 2.5),
            ({"subtrahend": 0, "divisor": -2}, lambda x: x / -2),
        ],
    )
    def test_formula(self, build, size, arguments, law):
        x = np.random.default_rng(0).normal(100, 30, size).astype(np.float32)
        x[0, 0] = 0  # counts like any other number
        out = build(CenterData("image", **arguments))({"image": MetaTensor(torch.from_numpy(x.copy()))})["image"]
        assert out.dtype == torch.float32
        assert np.abs(out.numpy() - law(x.astype(np.float64))).max() < 1e-5

    def test_a_constant_image_and_the_data_type(self, build):
        out = build(CenterData("image", dtype="float64"))({"image": torch.full((1, 9, 9), 7.0)})["image"]
        assert out.dtype == torch.float64
        assert not out.any()


class TestAddGaussianNoise:
    def draws(self, build, component, rank, size, count=DRAWS):
        image = MetaTensor(torch.full((2, *size), 5.0))
        item = {"image": image, "second": image.clone(), "label": 1}
        chain, noise = build(component, rank), []
        for seed in range(count):
            out = chain.set_random_state(seed)(item)
            noise.append(np.stack([out[field].numpy() - 5.0 for field in ("image", "second")]))
            assert out["label"] == 1
        return np.array(noise)  # draws, fields, channels, spatial

    @pytest.mark.parametrize(("rank", "variance", "count"), [(3, 4.0, DRAWS), (2, 0.1, 500)])
    def test_law(self, build, rank, variance, count):
        """Normal with the variance itself (not its half or its square), by itself for each field, channel, voxel."""
        noise = self.draws(build, AddGaussianNoise(["image", "second"], 1.0, variance), rank, (3, 2, 2)[:rank], count)
        values = noise.reshape(count, -1)
        n = values.size
        square = np.sum(values**2) / variance  # chi-square of n degrees of freedom
        assert square == pytest.approx(n, abs=5 * np.sqrt(2 * n))
        assert abs(values.mean()) < 5 * np.sqrt(variance / n)
        assert stats.kstest(values.ravel(), stats.norm(0, np.sqrt(variance)).cdf).pvalue > 1e-4
        spread = values.std(axis=1)  # the same in every draw: it is not drawn itself
        assert spread.std() < 1.5 * np.sqrt(variance / (2 * values.shape[1]))
        together = np.corrcoef(values.T) - np.eye(values.shape[1])
        assert np.abs(together).max() < 5.5 / np.sqrt(count)

    def test_probability(self, build):
        component = AddGaussianNoise(["image", "second"])
        assert (component.probability, component.variance) == (0.5, 0.1)
        changed = self.draws(build, component, 2, (2, 2)).any(axis=(2, 3, 4))
        is_share(changed[:, 0], 0.5)
        is_share(changed[:, 1], 0.5)
        is_share(changed.all(axis=1), 0.25)
        rarely = self.draws(build, AddGaussianNoise("image", 0.1), 2, (2, 2)).any(axis=(2, 3, 4))
        is_share(rarely[:, 0], 0.1)
        assert not rarely[:, 1].any()

    def test_fields_of_other_sizes_and_no_variance(self, build):
        item = {"image": torch.zeros(1, 3, 4), "second": torch.zeros(2, 5, 5)}
        out = build(AddGaussianNoise(["image", "second"], 1.0), 2)(item)
        assert {field: value.shape for field, value in out.items()} == {f: v.shape for f, v in item.items()}
        assert not build(AddGaussianNoise("image", 1.0, 0.0), 2)(item)["image"].any()


class TestAdjustContrast:
    @pytest.mark.parametrize(("rank", "count"), [(2, 100), (3, DRAWS)])
    def test_law(self, build, rank, count):
        """The power, recovered from one voxel, is uniform, explains all others, and is one for all fields."""
        size = (3, 4, 2)[:rank]
        image = np.random.default_rng(0).uniform(-70, 130, (2, *size)).astype(np.float32)
        image.flat[0] = 30  # half way, for recovering
        item = {
            "image": MetaTensor(torch.from_numpy(image)),
            "second": MetaTensor(torch.from_numpy(-image)),
            "label": 1,
        }
        chain = build(AdjustContrast(["image", "second"], 1.0), rank)
        gammas = []
        for seed in range(count):
            out = chain.set_random_state(seed)(item)
            gamma = None
            for field, x in (("image", image.astype(np.float64)), ("second", -image.astype(np.float64))):
                y, low, width = out[field].numpy(), x.min(), np.ptp(x)
                relative = (x - low) / (width + 1e-7)
                if gamma is None:
                    gamma = np.log((y.flat[0] - low) / width) / np.log(relative.flat[0])
                    gammas.append(gamma)
                assert np.abs(y - (relative**gamma * width + low)).max() < 1e-5 * width
            assert out["label"] == 1
        assert min(gammas) > 0.5 - 1e-5
        assert max(gammas) < 4.5 + 1e-5
        if count == DRAWS:
            uniform(np.clip(gammas, 0.5, 4.5), 0.5, 4.5)

    def test_own_range_and_probability(self, build):
        component = AdjustContrast("image", min_gamma=2, max_gamma=2)
        assert component.probability == 0.5
        chain = build(component, 2)
        item = {"image": torch.tensor([[[0.0, 0.5, 1.0]]])}
        middles = [float(chain.set_random_state(seed)(item)["image"][0, 0, 1]) for seed in range(DRAWS)]
        assert {round(one, 5) for one in middles} == {0.5, 0.25}
        is_share(np.array(middles) < 0.4, 0.5)

    def test_a_constant_image_stays(self, build):
        item = {"image": torch.full((1, 4, 4), -1000.0)}
        assert torch.equal(build(AdjustContrast("image", 1.0), 2)(item)["image"], item["image"])


class TestGaussianFilters:
    @pytest.mark.parametrize(("rank", "count"), [(2, DRAWS), (3, 100)])
    def test_smoothing(self, build, rank, count):
        """The widths, recovered from a point's image, are uniform and one per axis."""
        point = np.zeros((1, *(13,) * rank), np.float32)
        point[(0, *(6,) * rank)] = 1000
        item = {"image": MetaTensor(torch.from_numpy(point))}
        chain, sigmas = build(RandomGaussianSmooth("image", 1.0), rank), []
        for seed in range(count):
            y = chain.set_random_state(seed)(item)["image"].numpy()[0].astype(np.float64)
            middle = [np.moveaxis(y, axis, 0)[6].sum() / y.sum() for axis in range(rank)]
            sigmas.append(0.5 / (np.sqrt(2) * special.erfinv(middle)))
            assert np.abs(y - smooth(point[0].astype(np.float64), sigmas[-1])).max() < 0.1
        if count == DRAWS:
            sigmas = np.array(sigmas)
            for one in sigmas.T:
                uniform(np.clip(one, 0.25, 1.5), 0.25, 1.5)
            assert abs(np.corrcoef(sigmas.T)[0, 1]) < 5 / np.sqrt(DRAWS)

    @pytest.mark.parametrize("rank", [2, 3])
    def test_sharpening(self, build, rank):
        """What the draws do to noise, and their law."""
        x = np.random.default_rng(0).normal(size=(1, *(9, 8, 7)[:rank])).astype(np.float32)
        item = {"image": MetaTensor(torch.from_numpy(x))}
        chain, draws = build(RandomSharpen("image", 1.0), rank), []
        drawn = chain.transforms[0].rand_sharpen
        for seed in range(DRAWS):
            chain.set_random_state(seed)
            if seed < 50:
                y = chain(item)["image"].numpy()[0]
                once = smooth(x[0].astype(np.float64), (drawn.x1, drawn.y1, drawn.z1)[:rank])
                expected = once + drawn.a * (once - smooth(once, (drawn.x2, drawn.y2, drawn.z2)[:rank]))
                assert np.abs(y - expected).max() < 1e-5 * np.ptp(expected)
            else:
                drawn.randomize()
            draws.append((drawn.x1, drawn.y1, drawn.z1, drawn.x2, drawn.y2, drawn.z2, drawn.a))
        first, second, alpha = np.array(draws)[:, :3], np.array(draws)[:, 3:6], np.array(draws)[:, 6]
        uniform(first.ravel(), 0.5, 1)
        uniform(((second - 0.5) / (first - 0.5)).ravel(), 0, 1)
        uniform(alpha, 10, 30)

    @pytest.mark.parametrize("cls", [RandomGaussianSmooth, RandomSharpen])
    def test_all_fields_get_the_same(self, build, cls):
        image = torch.rand(1, 5, 6)
        out = build(cls(["image", "second"], 1.0), 2)({"image": image, "second": image + 0})
        assert torch.equal(out["image"].as_tensor(), out["second"].as_tensor())
        assert not torch.equal(out["image"].as_tensor(), image)

    @pytest.mark.parametrize("cls", [RandomGaussianSmooth, RandomSharpen])
    def test_probability(self, build, cls):
        item = {"image": torch.zeros(1, 3, 3)}
        item["image"][0, 1, 1] = 1
        chain = build(cls("image"), 2)
        is_share([not torch.equal(chain.set_random_state(i)(item)["image"], item["image"]) for i in range(DRAWS)], 0.5)
        never = build(cls("image", 0.0), 2)
        assert torch.equal(never(item)["image"], item["image"])
