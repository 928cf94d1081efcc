"""A preview shows what the training sees, whatever the network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from PIL import Image

from clara_compat.config.workflow import load_train_workflow
from clara_compat.engine.item_context import ItemKey
from clara_compat.errors import ClaraError
from clara_compat.run.execute import execute
from clara_compat.run.preview import preview
from clara_compat.run.seeds import seeds_of
from clara_compat.run.stepwise import run_stepwise
from clara_compat.translate.section_data import translate_section_data
from clara_compat.translate.train import translate_train

Make = Callable[..., Path]

MINE = """
import random
import numpy as np
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class Noise(MultiFieldTransformer):
    def __init__(self, fields):
        MultiFieldTransformer.__init__(self, fields)

    def is_deterministic(self):
        return False

    def transform(self, transform_ctx):
        for field in self.fields:
            image = transform_ctx.get_image(field)
            data = image.get_data()
            data += np.random.randn(*data.shape) + random.random()
            transform_ctx.set_image(field, image.new_image(data, image.get_shape_format()))
        return transform_ctx


class QuietNoise(Noise):
    def is_deterministic(self):
        return True


class Fails(Noise):
    def transform(self, transform_ctx):
        raise ValueError("three eyes")
"""

FAST_CROP = {
    "name": "FastCropByPosNegRatio",
    "args": {"size": [16, 16, 16], "fields": ["image", "label"], "label_field": "label", "batch_size": 5},
}
FLIP = {"name": "RandomSpatialFlip#Mirror", "args": {"fields": ["image", "label"]}}


def user(name: str) -> dict[str, Any]:
    return {"path": f"mine.{name}", "args": {"fields": "image"}}


def make_mmar(small_mmar: Make, change: Callable[[dict[str, Any]], Any] | None = None) -> Path:
    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(MINE)
    return mmar


def batching(config: dict[str, Any]) -> None:
    config["train"]["pre_transforms"][3:] = [FAST_CROP, FLIP, user("Noise")]
    config["train"]["image_pipeline"]["args"].update(batched_by_transforms=True)


def plain(config: dict[str, Any]) -> None:
    config["train"]["pre_transforms"] += [user("Noise"), FLIP]


def cached(config: dict[str, Any]) -> None:
    """The cache keeps what a transform that denies its draws made of an item."""
    config["train"]["pre_transforms"].insert(2, user("QuietNoise"))
    config["train"]["image_pipeline"]["name"] = "SegmentationImagePipelineWithCache"
    config["train"]["image_pipeline"]["args"].update(num_cache_objects=4)


@pytest.mark.parametrize("change", [plain, batching, cached])
def test_the_end_of_the_chain_is_what_the_training_sees(small_mmar: Make, change: Callable) -> None:
    mmar = make_mmar(small_mmar, change)
    workflow = load_train_workflow(mmar / "config/config_train.json")
    seeds = seeds_of(workflow.settings.determinism)
    training = ConfigParser(json.loads(json.dumps(translate_train(workflow, seeds, mmar / "models").config)))
    training.get_parsed_content("initialize")
    dataset = training.get_parsed_content("train#dataset")
    order = training.get_parsed_content("train#plan").order(1)
    dataset.prepare(1)
    wanted = [dataset[ItemKey(seeds.data, 1, position, order[position])] for position in range(2)]

    parser = execute(translate_section_data(workflow, "train", seeds, mmar / "models"))
    transform = parser.get_parsed_content("train#preprocessing")
    data, plan = parser.get_parsed_content("train#data"), parser.get_parsed_content("train#plan")
    assert plan.order(1) == order
    ends = list(range(1, len(transform.transforms)))
    for position, expected in enumerate(wanted):
        seen: list[int] = []
        key = ItemKey(seeds.data, 1, position, order[position])
        made = run_stepwise(
            transform,
            ends,
            dict(data[order[position]]),
            key,
            lambda step, _, seen=seen: seen.append(step),
            requested=change is cached,
        )
        assert seen == list(range(len(ends)))
        pairs = list(zip(made, expected, strict=True)) if isinstance(expected, list) else [(made, expected)]
        for one, other in pairs:
            assert torch.equal(one["image"], other["image"])
            assert torch.equal(one["label"], other["label"])

    result = preview(mmar / "config/config_train.json")
    assert result.error is None
    for item, expected in zip(result.sheet.items, wanted, strict=True):
        crops = expected if isinstance(expected, list) else [expected]
        for cell, crop in zip(item.steps[-1], crops, strict=True):
            assert (cell.low, cell.high) == pytest.approx((float(crop["image"].min()), float(crop["image"].max())))


def test_what_is_seen_of_a_chain(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        plain(config)
        config["train"]["pre_transforms"][2]["name"] += "#CT"
        config["train"]["pre_transforms"].insert(3, {**FAST_CROP, "disabled": True})

    mmar = make_mmar(small_mmar, change)
    result = preview(mmar / "config/config_train.json", items=3)
    assert result.path == mmar / "models/preview.png"
    assert sorted(path.name for path in (mmar / "models").iterdir()) == ["preview.png"]
    with Image.open(result.path) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
    sheet = result.sheet
    assert sheet.title == "What the transforms of config_train.json do"
    assert sheet.facts == "train section · seed 2 (determinism) · epoch 1 · 3 of 4 items"
    assert [(column.number, column.name, column.random) for column in sheet.columns] == [
        (1, "LoadNifti", False),
        (2, "ConvertToChannelsFirst", False),
        (3, "ScaleIntensityRange#CT", False),
        (4, "FastPosNegRatioCropROI", True),
        (5, "ScaleShiftIntensity", True),
        (6, "Noise", True),
        (7, "RandomSpatialFlip#Mirror", True),
    ]
    assert len({item.title for item in sheet.items}) == 3
    for item in sheet.items:
        cells = [cell for [cell] in item.steps]
        assert [cell.shape_text for cell in cells] == ["DHW 24×22×20", "CDHW 1×24×22×20"] + ["CDHW 1×24×22×20"] + [
            "CDHW 1×16×16×16"
        ] * 4
        assert cells[0].spacing_text == "1 × 1 × 1.5 mm"
        assert cells[2].range_text == f"0 … {cells[2].high:.4g}"
        assert [cell.changed for cell in cells[:6]] == [True, False, True, True, True, True]
        assert all(cell.picture is not None for cell in cells)
        assert cells[0].values == ("0", "1")


def test_seed_and_epoch_choose_what_is_drawn(small_mmar: Make) -> None:
    def last(**options: Any) -> tuple[float, str]:
        result = preview(config, items=1, out=config.parent / "out.png", **options)
        return result.sheet.items[0].steps[-1][0].low, result.sheet.facts

    config = make_mmar(small_mmar, lambda c: (plain(c), c.pop("determinism"))) / "config/config_train.json"
    low, facts = last()
    seed = int(facts.partition("again with --seed ")[2].partition(")")[0])
    assert f"seed {seed} (drawn; again with --seed {seed}) · epoch 1 · 1 of 4 items" in facts
    assert last(seed=seed)[0] == low
    assert last(seed=seed, epoch=2)[0] != low
    assert last(seed=seed + 1)[0] != low


def test_crops_stand_in_rows_and_what_is_left_out_is_counted(small_mmar: Make) -> None:
    result = preview(make_mmar(small_mmar, batching) / "config/config_train.json", items=1)
    [item] = result.sheet.items
    assert [len(cells) for cells in item.steps] == [1, 1, 1, 5, 5, 5]
    assert [cell.picture is not None for cell in item.steps[3]] == [True] * 3 + [False] * 2
    assert {cell.shape for cell in item.steps[3]} == {(1, 16, 16, 16)}
    assert all(cell.changed for cell in item.steps[3])


def test_a_transform_that_fails_ends_the_sheet(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"][3:] = [user("Fails"), FLIP]

    result = preview(make_mmar(small_mmar, change) / "config/config_train.json")
    assert result.path is not None
    assert result.path.exists()
    assert [len(item.steps) for item in result.sheet.items] == [3]
    assert result.sheet.stop is not None
    assert result.sheet.stop.step == 3
    with pytest.raises(
        ClaraError, match=r"train.pre_transforms\[3\]: .*mine.py:\d+: ValueError: three eyes \(image .*case"
    ):
        raise result.error  # type: ignore[misc]


def test_without_a_first_step_there_is_nothing_to_draw(small_mmar: Make) -> None:
    mmar = make_mmar(small_mmar, lambda config: config["train"]["pre_transforms"].insert(0, user("Fails")))
    result = preview(mmar / "config/config_train.json")
    assert result.path is None
    assert not (mmar / "models").exists()
    with pytest.raises(ClaraError, match=r"train.pre_transforms\[0\]: .*three eyes"):
        raise result.error  # type: ignore[misc]


def test_an_item_that_the_network_could_not_take_is_refused_at_the_end(small_mmar: Make) -> None:
    """Headers do not tell what a user's code makes of an image."""

    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"].append(user("Noise"))
        config["train"]["image_pipeline"]["args"].update(output_image_channels=2)

    result = preview(make_mmar(small_mmar, change) / "config/config_train.json")
    assert [len(item.steps) for item in result.sheet.items] == [6]
    with pytest.raises(
        ClaraError, match="'image' has 1 channels, but output_image_channels of the image pipeline is 2"
    ):
        raise result.error  # type: ignore[misc]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["train"].update(model={"path": "nowhere.Net", "args": {}}),
        lambda c: c["train"].update(loss={"path": "nowhere.Loss"}),
        lambda c: c["train"]["model"].update(name="SegAhnet", args={"num_classes": 2}),
        lambda c: c["train"]["image_pipeline"]["args"].update(output_crop_size=[20, 20, 20]),
        lambda c: c.update(multi_gpu=True, MMAR_CKPT="models/model.ckpt"),
    ],
)
def test_what_concerns_the_model_does_not_matter(small_mmar: Make, change: Callable) -> None:
    assert preview(small_mmar(change) / "config/config_train.json", items=1).error is None


def test_the_validation_has_a_preview_too(small_mmar: Make) -> None:
    result = preview(small_mmar() / "config/config_train.json", section="validate")
    assert [column.name for column in result.sheet.columns] == [
        "LoadNifti",
        "ConvertToChannelsFirst",
        "ScaleIntensityRange",
    ]
    assert result.sheet.items[0].title == "item 1: case4_image.nii.gz (validation[0])"
    with pytest.raises(ClaraError, match="no section 'validate'"):
        preview(small_mmar(lambda c: c.pop("validate"), name="b") / "config/config_train.json", section="validate")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (
            lambda c: c["train"]["pre_transforms"].append({"path": "nowhere.Mine"}),
            {},
            r"train.pre_transforms\[5\]: .*nowhere",
        ),
        (lambda c: c["train"]["pre_transforms"][0]["args"].update(field="x"), {}, r"LoadNifti has no argument 'field'"),
        (
            lambda c: c["train"]["image_pipeline"]["args"].update(data_list_key="trainin"),
            {},
            "did you mean 'training'",
        ),
        (
            lambda c: c["train"]["pre_transforms"][3]["args"].update(size=[64, 64, 64]),
            {},
            r"train.pre_transforms\[3\].*64.*24",
        ),
        (lambda c: None, {"items": 0}, "a sheet has room for 1 to 20"),
        (lambda c: None, {"epoch": 0}, "epochs count from 1"),
        (lambda c: None, {"seed": -1}, "the seed is -1"),
        (lambda c: None, {"out": "sheet.pdf"}, "should be a file that ends in .png"),
        (lambda c: None, {"out": "/dev/null/sheet.png"}, "/dev/null is a file; mend --out"),
    ],
)
def test_what_must_be_mended_first(small_mmar: Make, change: Callable, options: dict[str, Any], message: str) -> None:
    mmar = small_mmar(change)
    with pytest.raises(ClaraError, match=message):
        preview(mmar / "config/config_train.json", **options)
    assert not (mmar / "models").exists()


def test_debug_taps_write_nothing(small_mmar: Make) -> None:
    tap = {"name": "SaveAsNifti", "args": {"fields": "image", "out_dir": "taps"}}
    mmar = small_mmar(lambda c: c["train"]["pre_transforms"].append(tap))
    result = preview(mmar / "config/config_train.json", items=1)
    assert sorted(path.name for path in mmar.rglob("*") if path.is_file()) == [
        "config_train.json",
        "environment.json",
        "preview.png",
    ]
    assert [(c.name, c.random) for c in result.sheet.columns[5:]] == [("SaveAsNifti", False)]


def test_pictures_in_colour(small_mmar: Make, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    label = np.zeros((40, 30), np.uint8)
    label[5:20, 10:15], label[25:35, 20:25] = 1, 3
    Image.fromarray(generator.integers(0, 255, (40, 30, 3), dtype=np.uint8)).save(tmp_path / "image.png")
    Image.fromarray(label).save(tmp_path / "label.png")
    (tmp_path / "list.json").write_text(json.dumps({"training": [{"image": "image.png", "label": "label.png"}]}))

    def change(config: dict[str, Any]) -> None:
        config.pop("validate")
        fields = ["image", "label"]
        config["train"]["pre_transforms"] = [
            {"name": "LoadPng", "args": {"fields": fields}},
            {"name": "ConvertToChannelsFirst", "args": {"fields": fields}},
            {"name": "ScaleToShape", "args": {"fields": "image", "target_shape": [20, 30]}},
            {"name": "ScaleToShape", "args": {"fields": "label", "target_shape": [20, 30], "is_label": True}},
        ]
        config["train"]["image_pipeline"]["args"].update(output_crop_size=[32, 32], output_image_channels=3)

    mmar = small_mmar(change)
    result = preview(
        mmar / "config/config_train.json",
        overrides={"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "list.json")},
    )
    assert result.error is None
    cells = [cell for [cell] in result.sheet.items[0].steps]
    assert [cell.shape_text for cell in cells] == ["HWC 40×30×3", "CHW 3×40×30", "CHW 3×20×30", "CHW 3×20×30"]
    assert [cell.spacing_text for cell in cells[1:3]] == ["1 × 1 (png: no mm)", "2 × 1 (png: no mm)"]
    assert cells[2].label_note == "grid of its own: 40×30"
    assert cells[3].values == ("0", "1", "3")
    pictures = [cell.picture for cell in cells]
    assert pictures[0] is not None
    assert pictures[0].pixels.shape == (40, 30, 3)
    assert {picture.size for picture in pictures if picture} == {(30.0, 40.0)}
    assert {picture.edges for picture in pictures if picture} == {("", "", "")}
    assert [layer.name for layer in pictures[0].layers] == ["1", "3"]
    assert np.array_equal(pictures[0].layers[1].mask, label == 3)


@pytest.mark.real
def test_a_published_config_on_the_real_scan(clara_examples: Path, tmp_path: Path) -> None:
    data = clara_examples / "sampleData"
    result = preview(
        clara_examples / "Performance/configDemo/trn1_BT_deformTrans.json",
        mmar=tmp_path,
        overrides={"DATA_ROOT": str(data), "DATASET_JSON": str(data / "dataset_FLclient.json")},
        items=1,
        seed=1,
    )
    assert result.error is None
    cells = [cell for [cell] in result.sheet.items[0].steps]
    assert cells[0].spacing_text == "0.7852 × 0.7852 × 7.5 mm"
    assert cells[0].picture is not None
    assert cells[0].picture.edges == ("R", "L", "A")
    assert cells[2].label_note == "grid of its own: 512×512×32"
    assert [cell.shape for cell in cells[5:]] == [(1, 96, 96, 96)] * 4
    assert [cell.changed for cell in cells] == [True, False, True, True, True, True, False, False, True]
