"""What a user wrote in numpy for Clara gives through the adapter what the built-in of that kind gives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import RandomizableTrait

from clara_compat.config.workflow import load_train_workflow
from clara_compat.engine import properties
from clara_compat.engine.data.seeding import seeded
from clara_compat.engine.item_context import ItemKey
from clara_compat.engine.legacy.transform import LegacyTransform, RandomLegacyTransform
from clara_compat.engine.legacy.views import to_medical_image
from clara_compat.engine.transforms.load_nifti import LoadNiftid
from clara_compat.engine.transforms.region import cut_box
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.train import translate_train

BYOC = Path(__file__).parents[2] / "byoc"
LAYOUTS = ("DHW", "CDHW", "DHWC", "HW", "HWC", "CHW")
DRAWS = 2000
Item = dict[str, Any]
Case = tuple[str, dict[str, Any], str]

# The built-in, its arguments, the user's class; sizes and resolutions lose their last number in 2-D.
WINDOW = {"fields": ["image"], "a_min": -57, "a_max": 164, "b_min": -1, "b_max": 1}
TO_LABEL_SPACING = {"fields": ["label"], "target_resolution": [1.7, 0.9, 5], "is_label": True}
TO_OBJECT = {"fields": ["image"], "size": [6, 3, 8], "label_field": "label", "pad": 1}
SAME: list[Case] = [
    ("ScaleIntensityRange", WINDOW, "MyScaleIntensityRange"),
    ("ScaleIntensityRange", {**WINDOW, "fields": "image", "clip": True}, "MyScaleIntensityRange"),
    ("NormalizeNonzeroIntensities", {"fields": ["image", "label"]}, "MyNormalizeNonzero"),
    ("ScaleByResolution", {"fields": ["image"], "target_resolution": [1, 2.2, 1.3]}, "MyScaleByResolution"),
    ("ScaleByResolution", TO_LABEL_SPACING, "MyScaleByResolution"),
    ("ConvertToChannelsFirst", {"fields": ["image", "label"]}, "MyChannelsFirst"),
    ("ReplaceLabels", {"fields": "label", "input_labels": [1, 2, 4], "output_labels": [2, 1, 7]}, "MyReplaceLabels"),
    ("ThresholdValues", {"fields": ["image"], "threshold": 0.25}, "MyThreshold"),
    ("ArgmaxAcrossChannels", {"fields": ["image"]}, "MyArgmax"),
    ("MaskImage", {"image_field": "image", "mask_field": "label"}, "MyMaskImage"),
    ("SymmetricPadderDiv", {"fields": ["image", "label"], "div_int": 4}, "MySymmetricPadder"),
    ("CropSubVolumeCenter", {"fields": ["label", "image"], "size": [4, 5, 3]}, "MyCenterCrop"),
    ("SplitBasedOnLabel", {"field": "label", "label_names": ["background", "first", "second"]}, "MySplitLabel"),
    ("ConvertToMultiChannelBasedOnBratsClasses", {"fields": ["label"]}, "MyBratsChannels"),
    ("CropForegroundObject", TO_OBJECT, "MyCropForeground"),
]


def _in(*layouts: str) -> pytest.MarkDecorator:
    """Every case in every one of these layouts that it can be in."""
    rows = [(case, layout) for case in SAME for layout in layouts if "C" in layout or case[2] != "MyArgmax"]
    names = [f"{case[2]}-{SAME.index(case)}-{layout}" for case, layout in rows]
    return pytest.mark.parametrize(("case", "layout"), rows, ids=names)


def arguments(args: dict[str, Any], rank: int) -> dict[str, Any]:
    return {name: one[:rank] if name in ("size", "target_resolution") else one for name, one in args.items()}


def rank_of(layout: str) -> int:
    return 3 if "D" in layout else 2


@pytest.fixture
def item(labelled: Callable, oblique_affine: np.ndarray) -> Callable[[str], Item]:
    """An image of noise with zeros in it, of two channels where the layout has any, and BraTS-like labels."""

    def make(layout: str) -> Item:
        rng, size = np.random.default_rng(3), (9, 7, 6)[: rank_of(layout)]
        image = rng.normal(20, 80, (2 if "C" in layout else 1, *size)).astype(np.float32)
        image[:, :2] = 0
        label = np.zeros((1, *size), np.float32)
        label[0, 3:6, 2:5] = rng.choice([1, 2, 4], label[0, 3:6, 2:5].shape)
        return {"image": labelled(image, layout, oblique_affine), "label": labelled(label, layout, oblique_affine)}

    return make


def compare(native: Item, legacy: Item, tolerance: float = 1e-5, *, affine: bool = True) -> None:
    """Both as user code sees them: the same layout, array, affine, spacing."""
    assert native.keys() == legacy.keys()
    for field in native:
        one, other = to_medical_image(native[field]), to_medical_image(legacy[field])
        assert other.get_shape_format() == one.get_shape_format(), field
        scale = max(1.0, float(np.abs(one.get_data()).max()))
        np.testing.assert_allclose(other.get_data(), one.get_data(), rtol=0, atol=tolerance * scale, err_msg=field)
        assert type(legacy[field]) is MetaTensor
        assert legacy[field].is_contiguous()
        if affine:
            np.testing.assert_allclose(other.get_property("affine"), one.get_property("affine"), atol=1e-9)
            assert other.get_property("spacing") == pytest.approx(one.get_property("spacing"))
        for known in ("file_name", "as_canonical"):
            assert other.get_property(known) == one.get_property(known)
        assert legacy[field].meta["filename_or_obj"] == native[field].meta["filename_or_obj"]


@_in(*LAYOUTS)
def test_deterministic_ones(case: Case, layout: str, native: Callable, legacy: Callable, item: Callable) -> None:
    (name, args, mine), rank = case, rank_of(layout)
    transform = legacy(mine, arguments(args, rank))
    assert type(transform) is LegacyTransform
    compare(native(name, arguments(args, rank), rank)(item(layout)), transform(item(layout)))


@pytest.mark.real
@_in("DHW")
def test_deterministic_ones_on_a_real_scan(
    case: Case, layout: str, native: Callable, legacy: Callable, real_scan: Item
) -> None:
    name, args, mine = case
    compare(native(name, args)(dict(real_scan)), legacy(mine, args)({f: t.clone() for f, t in real_scan.items()}))


@pytest.fixture(scope="session")
def real_scan(clara_examples: Path) -> Item:
    """A piece of the real CT scan with a border of its labelled organ, as LoadNifti gives it (DHW)."""
    names = {"image": "imagesTr", "label": "labelsTr"}
    loaded = LoadNiftid(["image", "label"])(
        {field: str(clara_examples / f"sampleData/{folder}/spleen_8.nii.gz") for field, folder in names.items()}
    )
    start = [int(axis.min()) - 4 for axis in np.nonzero(loaded["label"].numpy()[0])]
    piece = {field: cut_box(tensor, start, (45, 38, 17)) for field, tensor in loaded.items()}
    assert 0 < piece["label"].mean() < 1
    return piece


def test_chains_of_both_kinds_can_be_mixed(native: Callable, legacy: Callable, item: Callable) -> None:
    chosen = [SAME[i] for i in (5, 3, 1, 10, 11)]
    natives = [native(name, args) for name, args, _ in chosen]
    legacies = [legacy(mine, args) for _, args, mine in chosen]
    expected, mixed = item("DHW"), item("DHW")
    for number, (one, other) in enumerate(zip(natives, legacies, strict=True)):
        expected = one(expected)
        mixed = (other if number % 2 else one)(mixed)
    compare(expected, mixed)


# ------------------------------------------------------------------------------------------------ chance


@pytest.fixture
def numbered(labelled: Callable) -> Callable[[str], Item]:
    """A tiny image whose voxels are all different, and a label that is the same array."""

    def make(layout: str) -> Item:
        size = (2, 2, 3)[: rank_of(layout)]
        values = np.arange(float(np.prod(size)), dtype=np.float32).reshape(1, *size)
        return {field: labelled(values, layout) for field in ("image", "label")}

    return make


def outcomes(transform: Any, item: Callable[[], Item], draws: int = DRAWS) -> dict[tuple[float, ...], int]:
    """How often each picture comes out."""
    counts: dict[tuple[float, ...], int] = {}
    for _ in range(draws):
        made = transform(item())
        assert torch.equal(made["image"].as_tensor(), made["label"].as_tensor())
        key = (*made["image"].shape, *made["image"].flatten().tolist())
        counts[key] = counts.get(key, 0) + 1
    return counts


@pytest.mark.parametrize(
    ("name", "mine", "probability", "layout", "pictures"),
    [
        ("RandomAxisFlip", "MyRandomAxisFlip", 0.6, "DHWC", 4),
        ("RandomAxisFlip", "MyRandomAxisFlip", 0.5, "HW", 3),
        ("RandomRotate3D", "MyRandomRotate3D", 0.7, "CDHW", 4),
    ],
)
def test_flips_and_turns_come_as_often(
    name: str, mine: str, probability: float, layout: str, pictures: int, native: Callable, legacy: Callable,
    numbered: Callable,
) -> None:  # fmt: skip
    args = {"fields": ["image", "label"], "probability": probability}
    np.random.seed(1)
    transform = legacy(mine, args)
    assert type(transform) is RandomLegacyTransform
    found = outcomes(transform, lambda: numbered(layout))
    expected = outcomes(native(name, args, rank_of(layout)), lambda: numbered(layout), 200)
    assert found.keys() == expected.keys()
    assert len(found) == pictures
    as_it_was = numbered(layout)["image"]
    for picture, count in found.items():
        same = picture == (*as_it_was.shape, *as_it_was.flatten().tolist())
        share = 1 - probability if same else probability / (pictures - 1)
        assert abs(count / DRAWS - share) < 4 * np.sqrt(share * (1 - share) / DRAWS)


@pytest.mark.parametrize("layout", ["DHW", "HWC"])
def test_flips_keep_voxels_in_their_place(layout: str, native: Callable, legacy: Callable, numbered: Callable) -> None:
    args = {"fields": ["image", "label"], "probability": 1.0}
    np.random.seed(0)
    turned = [legacy("MyRandomAxisFlip", args)(numbered(layout))["image"] for _ in range(20)]
    flip = native("RandomAxisFlip", args, rank_of(layout))
    pairs = {tuple(t.flatten().tolist()): t.affine for t in (flip(numbered(layout))["image"] for _ in range(20))}
    for image in turned:
        torch.testing.assert_close(image.affine, pairs[tuple(image.flatten().tolist())])


def test_added_constants_have_one_law(native: Callable, legacy: Callable, labelled: Callable) -> None:
    args = {"fields": ["image", "label"], "magnitude": 0.3}

    def shifts(transform: Any) -> np.ndarray:
        made = []
        for _ in range(DRAWS):
            item = transform({field: labelled(np.zeros((1, 2, 2), np.float32), "HW") for field in ("image", "label")})
            assert float(item["image"].std()) == pytest.approx(0, abs=1e-7)
            made.append([float(item[field].mean()) for field in ("image", "label")])
        return np.array(made)

    np.random.seed(2)
    found, expected = (
        shifts(legacy("MyIntensityOscillation", args)),
        shifts(native("ScaleIntensityOscillation", args, 2)),
    )
    for draws in (found, expected):
        assert np.abs(draws).max() <= 0.3
        assert abs(np.corrcoef(draws.T)[0, 1]) < 0.1  # each field has its own
        assert scipy.stats.kstest(draws.ravel(), "uniform", (-0.3, 0.6)).pvalue > 1e-3
    assert scipy.stats.ks_2samp(found.ravel(), expected.ravel()).pvalue > 1e-3


def test_noise_has_one_law(native: Callable, legacy: Callable, labelled: Callable) -> None:
    args = {"fields": ["image"], "probability": 0.4, "variance": 0.09}

    def noise(transform: Any) -> tuple[float, np.ndarray]:
        values = [transform({"image": labelled(np.zeros((1, 4, 4), np.float32), "CHW")})["image"] for _ in range(DRAWS)]
        changed = [value.numpy().ravel() for value in values if value.any()]
        return len(changed) / DRAWS, np.concatenate(changed)

    np.random.seed(3)
    for transform in (legacy("MyGaussianNoise", args), native("AddGaussianNoise", args, 2)):
        share, values = noise(transform)
        assert abs(share - 0.4) < 4 * np.sqrt(0.4 * 0.6 / DRAWS)
        assert scipy.stats.kstest(values, "norm", (0, 0.3)).pvalue > 1e-3


@pytest.mark.parametrize("layout", ["DHW", "DHWC", "CHW"])
def test_batching_crops_have_one_law(layout: str, native: Callable, legacy: Callable, labelled: Callable) -> None:
    rank = rank_of(layout)
    args = arguments({"fields": ["image"], "size": [2, 2, 2], "label_field": "label", "pos": 3, "neg": 1}, rank)
    size = (5, 4, 3)[:rank]
    values = np.arange(float(np.prod(size)), dtype=np.float32).reshape(1, *size)
    label = np.zeros_like(values)
    label[0, 2, 2] = 1  # with a region of two voxels the centre is its second
    scan = {"image": labelled(values, layout), "label": labelled(label, layout)}

    def places(transform: Any) -> np.ndarray:
        found: list[float] = []
        for _ in range(DRAWS // 4):
            crops = transform(dict(scan))
            assert len(crops) == 4
            for crop in crops:
                assert crop["image"].shape == (1, *(2,) * rank)
                assert properties.read(crop["image"])["shape_format"] == layout
                start = np.unravel_index(int(crop["image"].flatten()[0]), size)
                where = tuple(slice(a, a + 2) for a in start)
                assert torch.equal(crop["label"].as_tensor()[0], torch.from_numpy(label[0])[where])
                found.append(float(crop["image"].flatten()[0]))
        return np.array(found)

    np.random.seed(4)
    found = places(legacy("MyFastCrop", {**args, "batch_size": 4}))
    expected = places(native("FastCropByPosNegRatio", {**args, "batch_size": 4}, rank))
    assert set(found) == set(expected)
    shares = [[np.mean(draws == place) for place in sorted(set(expected))] for draws in (found, expected)]
    np.testing.assert_allclose(*shares, atol=4 * np.sqrt(2 * 0.25 / DRAWS))


@pytest.mark.parametrize(
    ("mine", "args"),
    [
        ("MyRandomAxisFlip", {"fields": ["image", "label"]}),
        ("MyIntensityOscillation", {"fields": "image", "magnitude": 5}),
        ("MyGaussianNoise", {"fields": "image", "probability": 1.0}),
        ("MyFastCrop", {"fields": "image", "label_field": "label", "size": [3, 3, 3], "batch_size": 2}),
    ],
)
def test_draws_follow_from_seed_epoch_and_position(
    mine: str, args: dict[str, Any], legacy: Callable, item: Callable
) -> None:
    transform = legacy(mine, args)

    def made(*key: int) -> list[Item]:
        np.random.seed(key[0] + 17)  # what stood there before does not matter
        with seeded(transform, ItemKey(*key)):
            result = transform(item("DHW"))
        return result if isinstance(result, list) else [result]

    def same(one: list[Item], other: list[Item]) -> bool:
        return all(torch.equal(a[field], b[field]) for a, b in zip(one, other, strict=True) for field in a)

    assert same(made(1, 2, 3, 0), made(1, 2, 3, 0))
    others = [made(1, 2, 4, 0), made(1, 3, 3, 0), made(2, 2, 3, 0), made(1, 2, 5, 0), made(1, 7, 3, 0)]
    assert not all(same(made(1, 2, 3, 0), other) for other in others)


# ------------------------------------------------------------------------------------------------ whole configs


@pytest.fixture
def item_of_config(small_mmar: Callable[..., Path]) -> Callable[..., Any]:
    """Translate a config with a chain and make item 0 of its training data, twice."""

    def make(chain: list[dict[str, Any]], name: str) -> tuple[Any, list[Any]]:
        def change(config: dict[str, Any]) -> None:
            config["train"]["pre_transforms"] = chain
            config.pop("validate")

        mmar = small_mmar(change, name)
        shutil.copytree(BYOC, mmar / "custom")
        workflow = load_train_workflow(mmar / "config/config_train.json")
        bundle = translate_train(workflow, Seeds(5, 5, 5, 5), mmar / "models")
        parser = ConfigParser(json.loads(json.dumps(bundle.config)))
        parser.get_parsed_content("initialize#0")  # finds the user's code
        dataset = parser.get_parsed_content("train#dataset")
        dataset.prepare(1)
        return dataset, [dataset[ItemKey(5, 1, 0, 0)] for _ in range(2)]

    return make


def test_a_whole_config_of_legacy_transforms(item_of_config: Callable) -> None:
    steps = [
        ("ConvertToChannelsFirst", "MyChannelsFirst", {"fields": ["image", "label"]}),
        ("ScaleByResolution", "MyScaleByResolution", {"fields": ["image"], "target_resolution": [2, 1, 1.2]}),
        ("ScaleByResolution", "MyScaleByResolution",
         {"fields": ["label"], "target_resolution": [2, 1, 1.2], "is_label": True}),
        ("ScaleIntensityRange", "MyScaleIntensityRange",
         {"fields": "image", "a_min": -50, "a_max": 150, "b_min": 0, "b_max": 1, "clip": True}),
        ("SymmetricPadderDiv", "MySymmetricPadder", {"fields": ["image", "label"], "div_int": 8}),
        ("CropSubVolumeCenter", "MyCenterCrop", {"fields": ["image", "label"], "size": [12, 16, 20]}),
    ]  # fmt: skip
    load = {"name": "LoadNifti", "args": {"fields": ["image", "label"]}}
    natives, [expected, _] = item_of_config([load, *({"name": n, "args": args} for n, _, args in steps)], "natives")
    legacies, [found, again] = item_of_config(
        [load, *({"path": f"legacyTransforms.{mine}", "args": args} for _, mine, args in steps)], "legacies"
    )
    assert [isinstance(one, LegacyTransform) for one in legacies.transform.transforms] == [False, *[True] * 6, False]
    assert legacies.cache.length == natives.cache.length == 8
    assert expected["image"].shape == found["image"].shape == (1, 12, 16, 20)
    for field in expected:
        assert type(found[field]) is type(expected[field]) is torch.Tensor
        torch.testing.assert_close(found[field].float(), expected[field].float(), rtol=0, atol=1e-5)
        assert torch.equal(found[field], again[field])


def test_a_whole_config_of_random_legacy_transforms(item_of_config: Callable) -> None:
    crop = {"fields": "image", "label_field": "label", "size": [16, 16, 16], "batch_size": 2}
    chain = [
        {"name": "LoadNifti", "args": {"fields": ["image", "label"]}},
        {"path": "legacyTransforms.MyFastCrop", "args": crop},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image", "label"]}},
        {"path": "legacyTransforms.MyRandomRotate3D", "args": {"fields": ["image", "label"], "probability": 1.0}},
        {"name": "ScaleIntensityOscillation", "args": {"fields": "image", "magnitude": 3.0}},
    ]
    dataset, [found, again] = item_of_config(chain, "random")
    assert dataset.cache.length == 1
    assert isinstance(dataset.transform.transforms[1], RandomizableTrait)
    assert len(found) == 2
    for one, other in zip(found, again, strict=True):
        assert one["image"].shape == one["label"].shape == (1, 16, 16, 16)
        assert torch.equal(one["image"], other["image"])
    assert not torch.equal(found[0]["image"], found[1]["image"])
    assert not torch.equal(dataset[ItemKey(5, 2, 0, 0)][0]["image"], found[0]["image"])
