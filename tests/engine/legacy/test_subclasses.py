"""Users' subclasses of built-ins: native where they keep the built-in's ``transform``, adapted where they do not."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, RandGaussianNoised, Randomizable, RandomizableTrait, Transform

from clara_compat import check, train
from clara_compat.components.entry import Entry
from clara_compat.config.workflow import load_train_workflow
from clara_compat.engine import properties
from clara_compat.engine.data.budget import CacheBudget
from clara_compat.engine.data.cache import ItemCache
from clara_compat.engine.data.chain import cached_length
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.seeding import drawn_from, seeded
from clara_compat.engine.item_context import ItemKey
from clara_compat.engine.legacy.native import run_entries
from clara_compat.engine.legacy.transform import LegacyTransform, RandomLegacyTransform, legacy_transform
from clara_compat.engine.legacy.views import to_context, to_medical_image
from clara_compat.engine.transforms.crop_pos_neg_roi import RandCropPosNegROId
from clara_compat.engine.transforms.scale_intensity_range import ScaleIntensityRanged
from clara_compat.errors import ClaraError
from clara_compat.tensorflow import loader
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.section_data import translate_section_data

BYOC = Path(__file__).parents[2] / "byoc"
Item = dict[str, Any]
Make = Callable[..., Path]
WINDOW = {"a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1}


@pytest.fixture
def mine() -> Callable[..., Any]:
    """Make a user's object of ``tests/byoc/mySubclasses.py``."""
    code = loader.use([str(BYOC)])

    def make(name: str, **args: Any) -> Any:
        assert loader._current is code
        return loader.component(f"mySubclasses.{name}", args)

    return make


@pytest.fixture
def scan(labelled: Callable) -> Callable[..., Item]:
    """An image of noise and a label with a block, with an affine that is nobody else's."""

    def make(layout: str = "CDHW", size: tuple[int, ...] = (12, 11, 10), place: float = 0.0) -> Item:
        rng = np.random.default_rng(int(place))
        affine = np.diag([2.0, 1.5, 3.0, 1.0])
        affine[:3, 3] = place
        label = np.zeros((1, *size), np.float32)
        label[(0, *(slice(3, 8),) * len(size))] = 1
        image = rng.normal(50, 60, (1, *size)).astype(np.float32)
        return {"image": labelled(image, layout, affine), "label": labelled(label, layout, affine)}

    return make


def same(one: Any, other: Any) -> None:
    if isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
        return
    assert one.keys() == other.keys()
    for field, value in one.items():
        assert torch.equal(value.as_tensor(), other[field].as_tensor()), field
        torch.testing.assert_close(value.affine, other[field].affine)
        assert str(to_medical_image(value).get_shape_format()) == str(to_medical_image(other[field]).get_shape_format())


# ------------------------------------------------------------------------------------------------ native


@pytest.mark.parametrize(
    ("name", "args", "limits"),
    [("CTWindow", {}, (-57, 164)), ("SameRange", WINDOW, (-57, 164)), ("NarrowWindow", {}, (-57, 100))],
)
def test_other_arguments_are_all_that_changes(
    name: str, args: Item, limits: tuple, mine: Callable, scan: Callable
) -> None:
    transform = legacy_transform(mine(name, fields="image", **args))
    assert type(transform) is ScaleIntensityRanged
    item = scan()
    low, high = limits
    expected = (item["image"].numpy() - low) / (high - low)
    expected = expected if name == "SameRange" else expected.clip(0, 1)
    np.testing.assert_allclose(transform(item)["image"].numpy(), expected, atol=1e-6)


def test_a_built_in_of_several_steps_stays_several(mine: Callable, native: Callable) -> None:
    noise = legacy_transform(mine("LittleNoise", fields=["image", "label"]))
    assert isinstance(noise, Compose)
    assert [type(one) for one in noise.transforms] == [RandGaussianNoised] * 2
    assert [one.keys for one in noise.transforms] == [("image",), ("label",)]


@pytest.mark.parametrize("rank", [2, 3])
def test_its_place_in_the_config_is_told(rank: int, mine: Callable, native: Callable) -> None:
    """A built-in may become another transform in 2-D than in 3-D."""
    args = {"fields": ["image"], "probability": 0.9}
    flips = legacy_transform(mine("OftenFlip", fields=["image"]), {"spatial_dims": rank})
    expected = native("RandomSpatialFlip", args, rank)
    assert [type(one) for one in Compose([flips]).flatten().transforms] == [type(one) for one in expected.transforms]
    with pytest.raises(ClaraError, match="the images have 2 spatial axes|has 3 numbers"):
        legacy_transform(mine("FourCrops", size=[4, 4, 4]), {"spatial_dims": 2})


def test_several_steps_without_chance_can_be_cached(mine: Callable, scan: Callable) -> None:
    repeat = legacy_transform(mine("ThreeChannels", fields=["image"]))
    assert cached_length(Compose([repeat, legacy_transform(mine("CTWindow", fields="image"))])) == 2
    assert not isinstance(repeat, LegacyTransform)
    made = repeat(scan("DHW"))["image"]
    assert made.shape == (3, 12, 11, 10)
    assert properties.read(made)["shape_format"] == "CDHW"


def test_a_batching_crop_gives_its_list(mine: Callable, scan: Callable) -> None:
    crop = legacy_transform(mine("FourCrops", size=[4, 4, 4]))
    assert type(crop) is RandCropPosNegROId
    assert [one["image"].shape for one in Compose([crop])(scan())] == [(1, 4, 4, 4)] * 4


@pytest.mark.parametrize(("name", "args"), [("UncachedWindow", {}), ("UncachedChannels", {})])
def test_is_deterministic_ends_the_cache_and_changes_nothing_else(
    name: str, args: Item, mine: Callable, scan: Callable
) -> None:
    transform = legacy_transform(mine(name, fields=["image"], **args))
    assert isinstance(transform, RandomizableTrait)
    assert not isinstance(transform, LegacyTransform)
    assert cached_length(Compose([transform])) == 0
    cached = legacy_transform(
        mine({"UncachedWindow": "CTWindow", "UncachedChannels": "ThreeChannels"}[name], fields="image")
    )
    same(Compose([transform]).set_random_state(0)(scan()), cached(scan()))
    crops = Compose([legacy_transform(mine("FourCrops", size=[4, 4, 4])), transform])(scan())
    assert len(crops) == 4  # crop by crop, as natives run


def test_native_ones_are_seeded_with_the_chain(mine: Callable, scan: Callable) -> None:
    chain = Compose([legacy_transform(mine("OftenFlip", fields=["image", "label"]))])
    first, again = (chain.set_random_state(5)(scan()) for _ in range(2))
    same(first, again)
    assert any(not torch.equal(chain.set_random_state(seed)(scan())["image"], first["image"]) for seed in range(4))


# ------------------------------------------------------------------------------------------------ adapted


def test_a_window_of_the_image_itself(mine: Callable, scan: Callable) -> None:
    transform = legacy_transform(mine("WindowPerImage", fields="image"))
    assert type(transform) is LegacyTransform
    for place in (1, 2):
        item = scan(place=place)
        image = item["image"].numpy()
        expected = (image - image.min()) / (image.max() - image.min())
        made = transform(item)
        np.testing.assert_allclose(made["image"].numpy(), expected, atol=1e-6)
        assert made["label"] is item["label"]


def test_what_is_deterministic_draws_nothing(mine: Callable, scan: Callable, caplog: pytest.LogCaptureFixture) -> None:
    """A built-in's ``transform`` must not touch ``numpy.random``: the cache would take the user's class for random."""
    transform = legacy_transform(mine("WindowPerImage", fields="image"))
    with drawn_from() as drawn:
        transform(scan())
    assert not drawn()

    class Load(Transform):
        def __call__(self, data: Item) -> Item:
            return scan()

    chain = Compose([Load(), transform])
    cache = ItemCache([{"image": "a"}], chain, EpochPlan([{}], shuffle=False, seed=0), CacheBudget(1, None))
    with caplog.at_level(logging.INFO):
        cache.prepare(1)
    assert cache.length == 2
    assert "draws random numbers" not in caplog.text


def test_a_loader(mine: Callable, tmp_path: Path, oblique_affine: np.ndarray) -> None:
    data = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    for field in ("image", "label"):
        nibabel.save(nibabel.Nifti1Image(data, oblique_affine), tmp_path / f"{field}.nii.gz")
    item = {field: str(tmp_path / f"{field}.nii.gz") for field in ("image", "label")} | {"other": "x.nii"}
    made = legacy_transform(mine("LoadAndMark", fields=["image", "label"]))(item)
    assert made["other"] == "x.nii"
    for field in ("image", "label"):
        assert type(made[field]) is MetaTensor
        np.testing.assert_array_equal(made[field].numpy()[0], data + (field == "image"))
        np.testing.assert_allclose(made[field].affine, oblique_affine, atol=1e-5)
        known = properties.read(made[field])
        assert (known["mark"], known["shape_format"], known["original_shape"]) == (f"seen by {field}", "DHW", (3, 4, 5))
        assert made[field].meta["filename_or_obj"] == known["file_name"] == item[field]
        assert "clara_shared" not in made[field].meta


@pytest.mark.parametrize("layout", ["DHW", "DHWC", "CDHW"])
def test_a_resampler(layout: str, mine: Callable, native: Callable, scan: Callable) -> None:
    args = {"fields": ["image"], "target_resolution": [1, 2, 2]}
    transform = legacy_transform(mine("ResampleAndCount", **args))
    same(transform(scan(layout)), native("ScaleByResolution", args)(scan(layout)))


def test_a_resampler_of_all_crops_at_once(mine: Callable, native: Callable, scan: Callable) -> None:
    """Called once; every crop stays where it lies in the scan."""
    args = {"fields": ["image"], "target_resolution": [1, 2, 2]}
    user = mine("ResampleAndCount", **args)
    before = type(user).calls
    crops = [scan(place=10 * i) for i in range(3)]
    made = Compose([legacy_transform(user)])(crops)
    assert type(user).calls == before + 1
    same(made, native("ScaleByResolution", args)(crops))
    assert [round(float(one["image"].affine[0, 3]), 3) for one in made] == [-0.5, 9.5, 19.5]


@pytest.mark.parametrize(("layout", "size"), [("CDHW", [6, 5, 4]), ("HW", [6, 5])])
def test_a_random_crop_called_twice(layout: str, size: list[int], mine: Callable, scan: Callable) -> None:
    transform = legacy_transform(mine("CropTwice", fields=["image", "label"], size=size))
    assert type(transform) is RandomLegacyTransform
    item = scan(layout, (12, 11, 10)[: len(size)])
    starts = set()
    for seed in range(12):
        np.random.seed(seed)
        made = transform(dict(item))
        shift = (made["image"].affine[:3, 3] - item["image"].affine[:3, 3]) / torch.tensor([2, 1.5, 3])
        start = [int(n) for n in torch.round(shift)[: len(size)]]
        where = tuple(slice(a, a + n) for a, n in zip(start, size, strict=True))
        for field in ("image", "label"):
            assert torch.equal(made[field].as_tensor()[0], item[field].as_tensor()[0][where])
        starts.add(tuple(start))
    assert len(starts) > 3


@pytest.mark.parametrize(
    ("layout", "batched", "shape"),
    [("CDHW", "NCDHW", (3, 1, 4, 5, 6)), ("DHW", "NDHW", (3, 4, 5, 6)), ("DHWC", "NDHWC", (3, 4, 5, 6, 1))],
)
def test_a_batching_crop(
    layout: str, batched: str, shape: tuple, mine: Callable, native: Callable, scan: Callable
) -> None:
    args = {"fields": ["image"], "label_field": "label", "size": [4, 5, 6], "batch_size": 3}
    user = mine("CropAndName", **args)
    type(user).formats.clear()
    np.random.seed(7)
    made = legacy_transform(user)(scan(layout, place=5))
    assert type(user).formats == [(batched, shape)]
    np.random.seed(7)
    expected = native("FastCropByPosNegRatio", args, seed=int(np.random.randint(2**31)))(scan(layout, place=5))
    for one in expected:
        one["image"] *= 10
    same(made, expected)
    assert len({tuple(one["image"].affine[:3, 3].tolist()) for one in made}) > 1


def test_a_batching_crop_of_a_batch_is_an_error(mine: Callable, scan: Callable) -> None:
    args = {"fields": ["image"], "label_field": "label", "size": [4, 5, 6]}
    crop = legacy_transform(mine("CropAndName", **args, batch_size=2))
    with pytest.raises(ClaraError, match="CropAndName would make batches of images that are batches already"):
        crop([scan(), scan()])


@pytest.mark.parametrize(("layout", "rank"), [("DHW", 3), ("HWC", 2)])
def test_flips_of_several_axes(layout: str, rank: int, mine: Callable, native: Callable, scan: Callable) -> None:
    args = {"fields": ["image", "label"], "probability": 0.5}
    user = mine("FlipAndTell", **args)
    size = (5, 4, 3)[:rank]
    pictures = set()
    for seed in range(30):
        np.random.seed(seed)
        made = legacy_transform(user)(scan(layout, size))
        np.random.seed(seed)
        same(made, native("RandomSpatialFlip", args, rank, seed=int(np.random.randint(2**31)))(scan(layout, size)))
        pictures.add(tuple(made["image"].flatten().tolist()))
    assert len(pictures) == 2**rank


def test_flips_of_a_batch_are_drawn_for_each_crop(mine: Callable, scan: Callable) -> None:
    user = mine("FlipAndTell", fields=["image", "label"], probability=0.5)
    type(user).formats.clear()
    crops = [scan(size=(5, 4, 3), place=10 * i) for i in range(8)]
    np.random.seed(1)
    made = Compose([legacy_transform(user)])(crops)
    assert type(user).formats == ["NCDHW"]
    chosen = set()
    for one, crop in zip(made, crops, strict=True):
        signs = torch.sign(torch.diagonal(one["image"].affine)[:3]).int().tolist()
        axes = [axis + 1 for axis, sign in enumerate(signs) if sign < 0]
        assert torch.equal(one["image"].as_tensor(), crop["image"].as_tensor().flip(axes))
        assert torch.equal(one["image"].affine, one["label"].affine)
        chosen.add(tuple(signs))
    assert len(chosen) > 1


def test_what_is_said_once_is_said_once(mine: Callable, scan: Callable, caplog: pytest.LogCaptureFixture) -> None:
    args = {"fields": ["image"], "label_field": "label", "size": [4, 5, 6], "neg": 0}
    crop = legacy_transform(mine("CropAndName", **args))
    item = scan()
    item["label"] = item["label"] * 0
    for _ in range(3):
        crop(dict(item))
    assert caplog.text.count("the label has no foreground") == 1


@pytest.mark.parametrize("batched", [False, True])
def test_new_fields_and_fields_that_go(batched: bool, mine: Callable, scan: Callable) -> None:
    split = legacy_transform(mine("SplitAndDrop", field="label", label_names=["background", "organ"]))
    items = [scan(place=10 * i) for i in range(2)]
    made = Compose([split])(items) if batched else [split(items[0])]
    for one, item in zip(made, items, strict=False):
        assert set(one) == {"image", "label", "organ"}
        assert torch.equal(one["organ"].as_tensor(), item["label"].as_tensor())
        assert torch.equal(one["organ"].affine, item["label"].affine)


def test_several_entries_on_a_batch(mine: Callable, scan: Callable) -> None:
    """One transform per field, each drawing for each crop."""
    noise = legacy_transform(mine("QuietNoise", fields=["image", "label"], probability=0.5, variance=1))
    crops = [scan(place=10 * i) for i in range(20)]
    np.random.seed(3)
    made = Compose([noise])(crops)
    changed = [tuple(not torch.equal(a[f], b[f]) for f in ("image", "label")) for a, b in zip(made, crops, strict=True)]
    assert set(changed) == {(True, True), (True, False), (False, True), (False, False)}
    assert [float(one["image"].affine[0, 3]) for one in made] == [10.0 * i for i in range(20)]


def test_a_field_that_the_entries_take_away_is_gone(scan: Callable) -> None:
    context = to_context(scan())
    assert run_entries([Entry("DeleteItemsd", keys=["label"])], context, "T") is context
    assert set(context) == {"image"}


def test_noise_that_spares_the_background(mine: Callable, scan: Callable) -> None:
    item = scan()
    item["image"][:, :6] = 0
    before = item["image"].clone()
    transform = legacy_transform(mine("QuietNoise", fields="image", probability=1.0, variance=0.04))
    np.random.seed(0)
    made = transform(item)["image"]
    assert torch.equal(item["image"].as_tensor(), before.as_tensor())
    assert (made[:, :6] == 0).all()
    assert float((made - before)[:, 6:].std()) == pytest.approx(0.2, rel=0.1)
    crops = Compose([transform])([scan(place=10 * i) for i in range(3)])
    noises = [one["image"] - scan(place=10 * i)["image"] for i, one in enumerate(crops)]
    assert [float(noise.std()) for noise in noises] == pytest.approx([0.2] * 3, rel=0.1)
    assert not torch.equal(noises[0], noises[1])
    repeated = []
    for _ in range(2):
        with seeded(transform, ItemKey(1, 2, 3, 4)):
            repeated.append(transform(item)["image"])
    assert torch.equal(*repeated)


def test_a_change_of_layout(mine: Callable, scan: Callable) -> None:
    made = legacy_transform(mine("FirstChannels", fields=["image", "label"]))(scan("DHW"))
    assert {properties.read(made[field])["shape_format"] for field in made} == {"CDHW"}


# ------------------------------------------------------------------------------------------------ in a config


def _configured(make: Make, elements: dict[int, Item], name: str = "mmar") -> Path:
    """An MMAR with some transforms of its training chain replaced."""

    def change(config: Item) -> None:
        config["epochs"] = 1
        for at, element in elements.items():
            config["train"]["pre_transforms"][at] = element
        config.pop("validate")

    mmar = make(change, name)
    shutil.copytree(BYOC, mmar / "custom")
    return mmar


@pytest.mark.parametrize(
    ("cls", "args", "message"),
    [
        ("SameRange", {**WINDOW, "b_mx": 1}, ".args.b_mx: SameRange has no argument 'b_mx'"),
        (
            "SameRange",
            {**WINDOW, "a_min": "low"},
            ".args.a_min: argument 'a_min' of SameRange is 'low', expected a num",
        ),
        ("SameRange", {**WINDOW, "a_min": 164}, ": SameRange: a_min and a_max are both 164"),
        ("SameRange", {}, ".args.b_max: SameRange needs the argument 'b_max', a number"),
        (
            "CTWindow",
            {"clp": True},
            r".args.clp: CTWindow \(.*mySubclasses.py:\d+\) has no argument 'clp'; did you mean",
        ),
        ("ResampleAndCount", {"target_resolution": [1, 0, 1]}, ": ResampleAndCount: argument 'target_resolution' is"),
    ],
)
def test_inherited_arguments_are_checked_before_anything_runs(
    cls: str, args: Item, message: str, small_mmar: Make
) -> None:
    mmar = _configured(small_mmar, {2: {"path": f"mySubclasses.{cls}", "args": {"fields": "image", **args}}})
    report = check(mmar / "config/config_train.json")
    wanted = rf"config_train.json:\d+ train.pre_transforms\[2\]{message}"
    assert any(re.search(wanted, str(error)) for error in report.errors), report.errors
    with pytest.raises(ClaraError, match=wanted):
        train(mmar)
    assert not (mmar / "models").exists()


def test_a_config_of_subclasses_passes_the_check_and_trains(small_mmar: Make) -> None:
    elements = {
        0: {"path": "mySubclasses.LoadAndMark", "args": {"fields": ["image", "label"]}},
        1: {"path": "mySubclasses.FirstChannels", "args": {"fields": ["image", "label"]}},
        2: {"path": "mySubclasses.NarrowWindow", "args": {"fields": "image"}},
        3: {"path": "mySubclasses.CropAndName",
            "args": {"fields": ["image"], "label_field": "label", "size": [16, 16, 16], "batch_size": 2}},
        4: {"path": "mySubclasses.OftenFlip", "args": {"fields": ["image", "label"]}},
    }  # fmt: skip
    mmar = _configured(small_mmar, elements)
    report = check(mmar / "config/config_train.json")
    assert report.passed, report.errors
    told = {row.component.partition(".")[2]: row.fidelity for row in report.rows if "mySubclasses" in row.component}
    adapted = dict.fromkeys(("LoadAndMark", "FirstChannels", "CropAndName"), "user code")
    assert told == {**adapted, "NarrowWindow": "exact", "OftenFlip": "assumed"}
    result = train(mmar)
    assert np.isfinite(result.stats["epochs"][0]["loss"])
    dataset = result.parser.get_parsed_content("train#dataset")
    load, first, window, crop, flip, _ = dataset.transform.transforms
    assert [type(one).__name__ for one in (load, first, window, crop)] == [
        "LegacyTransform", "LegacyTransform", "ScaleIntensityRanged", "RandomLegacyTransform",
    ]  # fmt: skip
    assert isinstance(flip, Randomizable)
    assert not isinstance(flip, LegacyTransform)
    assert dataset.cache.length == 3
    entries = json.loads(result.paths["bundle"].read_text())["train"]["preprocessing"]["transforms"]
    assert entries[4]["context"]["spatial_dims"] == 3


def test_texts_for_booleans_are_converted_as_the_built_ins(small_mmar: Make) -> None:
    """``"false"`` is true in Python: a published sample writes it, and a subclass must not read it otherwise."""

    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"][0] = {
            "path": "plain.Plain",
            "args": {"fields": ["image", "label"], "as_closest_canonical": "false"},
        }
        config["validate"]["pre_transforms"][0] = {"ref": "Plain"}

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/plain.py").write_text(
        "from ai4med.components.transforms.load_nifti import LoadNifti\n\n\nclass Plain(LoadNifti):\n    pass\n"
    )
    workflow = load_train_workflow(mmar / "config/config_train.json")
    bundle = translate_section_data(workflow, "train", Seeds(0, 0, 0, 0), mmar / "models")
    [load, *_] = bundle.config["train"]["preprocessing"]["transforms"]
    assert load["transform"]["args"]["as_closest_canonical"] is False
