"""A user's Clara transform, and Clara's own, among MONAI's in a ``Compose``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from monai.data import CacheDataset, DataLoader, Dataset, MetaTensor
from monai.transforms import Compose, EnsureChannelFirstd, Flipd, LoadImaged, Transform

import clara_compat
from ai4med.components.transforms.crop_by_pos_neg_ratio import CropByPosNegRatio
from ai4med.components.transforms.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio
from ai4med.components.transforms.random_axis_flip import RandomAxisFlip
from ai4med.components.transforms.scale_intensity_range import ScaleIntensityRange
from clara_compat import ImageProperty, MultiFieldTransformer, TransformContext, as_monai_transform
from clara_compat.errors import ClaraError

Scan = tuple[dict[str, str], np.ndarray, np.ndarray]


class Percentiles(MultiFieldTransformer):
    """Scales from two percentiles, and writes them down."""

    calls = 0

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        type(self).calls += 1
        for field in self.fields:
            image = transform_ctx.get_image(field)
            low, high = np.percentile(image.get_data(), [10, 90])
            scaled = image.new_image((image.get_data() - low) / (high - low), image.get_shape_format())
            scaled.set_property("window", [float(low), float(high)])
            transform_ctx.set_image(field, scaled)
        return transform_ctx


class Noise(MultiFieldTransformer):
    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        for field in self.fields:
            image = transform_ctx.get_image(field)
            noise = np.random.normal(size=image.get_shape()).astype(np.float32)
            transform_ctx.set_image(field, image.new_image(image.get_data() + noise, image.get_shape_format()))
        return transform_ctx

    def is_deterministic(self) -> bool:
        return False


class CTWindow(ScaleIntensityRange):
    def __init__(self, fields: Any) -> None:
        ScaleIntensityRange.__init__(self, fields, a_min=-50, a_max=150, b_min=0, b_max=1, clip=True)


@pytest.fixture
def scan(tmp_path: Path) -> Callable[..., Scan]:
    """A file of noise around 50 with an oblique affine, and its array and affine."""

    def make(*size: int) -> Scan:
        rng = np.random.default_rng(len(size))
        array = rng.normal(50, 60, size).astype(np.float32)
        affine = np.diag([2.0, 1.5, 3.0, 1.0])
        affine[:3, 3] = (-10, 20, 5)
        affine[0, 1] = 0.25
        nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "scan.nii.gz")
        return {"image": str(tmp_path / "scan.nii.gz")}, array, affine

    return make


def chain(*transforms: Any) -> Compose:
    return Compose([LoadImaged("image"), EnsureChannelFirstd("image"), *transforms])


def test_it_stands_among_monais_own(scan: Callable[..., Scan]) -> None:
    item, array, affine = scan(9, 10, 11)
    image = chain(as_monai_transform(Percentiles("image")), Flipd("image", spatial_axis=0))(item)["image"]
    low, high = np.percentile(array.astype(np.float64), [10, 90])
    np.testing.assert_allclose(image.numpy()[0], ((array - low) / (high - low))[::-1], rtol=0, atol=1e-5)
    assert type(image) is MetaTensor
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = 8
    np.testing.assert_allclose(image.affine, affine @ flip, atol=1e-6)
    assert image.meta["filename_or_obj"] == item["image"]


def test_properties_stay_on_the_image(scan: Callable[..., Scan]) -> None:
    seen = {}

    class Look(MultiFieldTransformer):
        def transform(self, transform_ctx: TransformContext) -> TransformContext:
            image = transform_ctx.get_image(self.fields[0])
            seen.update(image.get_properties(), layout=str(image.get_shape_format()), shape=image.get_shape())
            return transform_ctx

    item, array, affine = scan(9, 10, 11)
    chain(as_monai_transform(Percentiles("image")), as_monai_transform(Look("image")))(item)
    np.testing.assert_allclose(seen["window"], np.percentile(array, [10, 90]), rtol=1e-5)
    np.testing.assert_allclose(seen[ImageProperty.AFFINE], affine, atol=1e-6)
    np.testing.assert_allclose(seen[ImageProperty.SPACING], np.linalg.norm(affine[:3, :3], axis=0), rtol=1e-6)
    assert seen[ImageProperty.FILENAME] == item["image"]
    assert (seen["layout"], seen["shape"]) == ("CDHW", (1, 9, 10, 11))


def test_batches_are_collated(scan: Callable[..., Scan]) -> None:
    item, *_ = scan(6, 7, 8)
    dataset = Dataset([item] * 4, chain(as_monai_transform(Percentiles("image")), as_monai_transform(Noise("image"))))
    batch = next(iter(DataLoader(dataset, batch_size=4, num_workers=2)))
    assert batch["image"].shape == (4, 1, 6, 7, 8)
    assert (batch["image"][0] != batch["image"][1]).any()


def test_monais_cache_runs_what_is_random_every_time(scan: Callable[..., Scan]) -> None:
    item, *_ = scan(6, 7, 8)
    before = Percentiles.calls
    steps = as_monai_transform(Percentiles("image")), as_monai_transform(Noise("image"))
    cached = CacheDataset([item], chain(*steps), progress=False)
    np.random.seed(3)
    first, second = cached[0]["image"].numpy(), cached[0]["image"].numpy()
    assert Percentiles.calls == before + 1
    np.random.seed(3)
    expected = [np.random.normal(size=first.shape) for _ in range(2)]
    np.testing.assert_allclose(second - first, expected[1] - expected[0], atol=1e-5)


@pytest.mark.parametrize("own", [True, False], ids=["subclass", "built-in"])
def test_a_built_in_is_what_a_config_makes_of_it(own: bool, scan: Callable[..., Scan]) -> None:
    item, array, _ = scan(6, 7, 8)
    clara = CTWindow("image") if own else ScaleIntensityRange("image", -50, 150, 0, 1, True)
    transform = as_monai_transform(clara)
    assert type(transform).__name__ == "ScaleIntensityRanged"
    image = chain(transform)(item)["image"]
    np.testing.assert_allclose(image.numpy()[0], ((array + 50.0) / 200).clip(0, 1), atol=1e-6)


@pytest.mark.parametrize("rank", [2, 3])
def test_a_built_in_is_told_the_number_of_axes(rank: int, scan: Callable[..., Scan]) -> None:
    item, array, _ = scan(*(6, 7, 8)[:rank])
    flip = as_monai_transform(RandomAxisFlip("image", probability=1.0), spatial_dims=rank)
    flipped = chain(flip)(item)["image"].numpy()[0]
    assert any(np.array_equal(flipped, np.flip(array, axis)) for axis in range(rank))


def test_a_batching_crop_gives_several_items(scan: Callable[..., Scan]) -> None:
    item, array, _ = scan(9, 10, 11)
    crops = as_monai_transform(FastCropByPosNegRatio([4, 4, 4], "image", "label", pos=1, neg=1, batch_size=3))
    loaded = chain()(item)
    label = MetaTensor(np.ones((1, *array.shape), np.float32))
    items = Compose([crops, as_monai_transform(Percentiles("image"))])({**loaded, "label": label})
    assert [one["image"].shape for one in items] == [(1, 4, 4, 4)] * 3


def test_a_function_from_dictionary_to_dictionary_is_a_transform_too(scan: Callable[..., Scan]) -> None:
    item, array, _ = scan(6, 7, 8)
    image = chain(as_monai_transform(lambda data: {"image": data["image"] * 2}))(item)["image"]
    np.testing.assert_array_equal(image.numpy()[0], array * 2)


class Nothing:
    pass


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: as_monai_transform(Percentiles),
            r"Percentiles is a class, expected an object of it: as_monai_transform\(Percentiles\(...\)\)",
        ),
        (lambda: as_monai_transform(Nothing()), r"Nothing has no method transform\(self, transform_ctx\)"),
        (
            lambda: as_monai_transform(Percentiles("image"), spatial_dims=4),
            "argument 'spatial_dims' is 4: expected 2 or 3",
        ),
        (
            lambda: as_monai_transform(CropByPosNegRatio([4, 4, 4], "image", "label", 1, 1, 1), spatial_dims=2),
            r"the crop size \[4, 4, 4\] has 3 numbers, but the images have 2 spatial axes",
        ),
    ],
    ids=["class", "no transform", "four axes", "size of three"],
)
def test_what_cannot_be_one_is_told(make: Callable[[], Transform], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        make()


def test_the_example_of_its_docstring_runs(scan: Callable[..., Scan]) -> None:
    text = clara_compat.as_monai_transform.__doc__ or ""
    example = text.partition("Example::\n")[2].replace("\n        ", "\n").replace("Compose([", "made = Compose([")
    names: dict[str, Any] = {}
    exec(example, names)
    item, array, _ = scan(6, 7, 8)
    np.testing.assert_array_equal(names["made"](item)["image"].numpy()[0], array / 2)


def test_the_example_of_the_readme_runs(scan: Callable[..., Scan], monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[3] / "README.md").read_text()
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "as_monai_tr" in block]
    item, array, _ = scan(6, 7, 8)
    monkeypatch.chdir(Path(item["image"]).parent)
    names: dict[str, Any] = {}
    exec(example, names)
    found = names["load"](item)["image"]
    np.testing.assert_allclose(found.numpy()[0], np.sqrt(np.maximum(array.astype(np.float64), 0)), rtol=1e-6)
