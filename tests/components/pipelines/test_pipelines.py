"""Every image pipeline: its arguments, the epoch it makes, what it refuses."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from PIL import Image

from clara_compat.components import catalogue
from clara_compat.components.entry import BundleContext
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline, CachedImagePipeline
from clara_compat.config.arguments import create
from clara_compat.config.spec import ComponentSpec
from clara_compat.engine.data.loader import data_loader
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.data_side import data_side
from clara_compat.translate.render import render

PIPELINES = sorted(name for name, cls in catalogue.components().items() if catalogue.family(cls) == "pipelines")
SETTINGS = {"num_workers": 0}


def spec(name: str, **args: Any) -> ComponentSpec:
    """An element of a config, with the required arguments of any pipeline filled in."""
    cls = catalogue.components()[name]
    given = {"data_list_file_path": "list.json", "data_file_base_dir": "", "data_list_key": "training", **SETTINGS}
    given |= {"num_cache_objects": 4} if issubclass(cls, CachedImagePipeline) else {}
    given |= {"task": "segmentation"} if name == "ImagePipeline" else {}
    return ComponentSpec(name, (), cls, None, {**given, **args}, Address("c.json", 7), "train.image_pipeline")


def make(name: str, **args: Any) -> BaseImagePipeline:
    component = create(spec(name, **args))
    assert isinstance(component, BaseImagePipeline)
    return component


def element(name: str, **args: Any) -> ComponentSpec:
    return ComponentSpec(
        name, (), catalogue.components()[name], None, args, Address("c.json", 1), "train.pre_transforms"
    )


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Six grey pictures of 12 x 10 with class labels and mask images, and their data lists."""
    rng = np.random.default_rng(0)
    for i in range(6):
        mask = np.zeros((12, 10), np.uint8)
        mask[3:9, 2:8] = 1
        Image.fromarray((rng.random((12, 10)) * 50 + 100 * mask + i).astype(np.uint8)).save(tmp_path / f"p{i}.png")
        Image.fromarray(mask).save(tmp_path / f"m{i}.png")
    lists = {
        "masks": [{"image": f"p{i}.png", "label": f"m{i}.png"} for i in range(6)],
        "classes": [{"image": f"p{i}.png", "label": [i % 2, 0, 1]} for i in range(6)],
        "scalars": [{"image": f"p{i}.png", "label": i % 3} for i in range(6)],
    }
    (tmp_path / "list.json").write_text(json.dumps(lists))
    return tmp_path


def batches(pictures: Path, name: str, key: str, *chain: ComponentSpec, batch: tuple = (), **args: Any) -> list[Any]:
    """The batches of the first epoch, made as a run makes them."""
    where = {"data_list_file_path": str(pictures / "list.json"), "data_file_base_dir": str(pictures)}
    options = {**where, "data_list_key": key, "num_channels" if name == "ImagePipeline" else "output_image_channels": 1}
    side = data_side(
        spec(name, **{**options, **args}), chain, BundleContext(spatial_dims=2), batch_specs=batch,
        extra_inputs=args.get("extra_inputs") or (),
    )  # fmt: skip
    config = {
        "seed": 3,
        "cache_budget": {"_target_": "clara_compat.engine.data.budget.CacheBudget", "gb": 1},
        "train": {key: render(value) for key, value in side.entries.items()},
    }
    loader = ConfigParser(json.loads(json.dumps(config))).get_parsed_content("train#dataloader")
    loader.sampler.set_epoch(1)
    return list(loader)


LOAD = element("LoadPng", fields=["image", "label"])
LOAD_IMAGE = element("LoadPng", fields="image")
FIRST = element("ConvertToChannelsFirst", fields=["image", "label"])


@pytest.mark.parametrize("name", PIPELINES)
class TestEvery:
    def test_contract(self, name: str) -> None:
        pipeline = make(name)
        assert pipeline.task in ("segmentation", "classification")
        entry = pipeline.bundle_entry(BundleContext())
        assert entry.target.endswith("data_loader")
        assert data_loader.__name__ == "data_loader"
        assert json.dumps(render(entry))
        assert catalogue.legacy_path(type(pipeline)).startswith("ai4med.components.data.")

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            ({"num_workers": -1}, "num_workers is -1, expected at least 0"),
            ({"duplicate_count": 0}, "duplicate_count is 0, expected at least 1"),
            ({"batch_transforms": [1]}, "filled from the section: put its transforms into batch_transforms"),
            ({"no_such": 1}, "has no argument 'no_such'"),
        ],
    )
    def test_what_is_refused(self, name: str, args: dict[str, Any], message: str) -> None:
        with pytest.raises(ClaraError, match=message) as caught:
            make(name, **args)
        assert "c.json:7" in str(caught.value)

    def test_the_data_list_must_be_named(self, name: str) -> None:
        one = spec(name)
        del one.args["data_list_key"]
        with pytest.raises(ClaraError, match=f"{name} needs the argument 'data_list_key'"):
            create(one)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"output_crop_size": [4, 4], "output_data_dims": 3}, r"\[4, 4\] has 2 numbers, expected 3"),
        ({"output_data_dims": 4}, "images have 2 or 3 dimensions, got 4"),
        ({"output_batch_size": 0}, "output_batch_size is 0, expected at least 1"),
        ({"output_data_format": "channels"}, "expected channels_first or channels_last"),
        ({"output_image_dtype": "float64"}, "output_image_dtype is 'float64', expected float32"),
        ({"sampling": "random"}, "sampling is 'random', expected automatic"),
        ({"output_label_channels": 0}, "output_label_channels is 0, expected at least 1"),
    ],
)
def test_wrong_values(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        make("SegmentationImagePipeline", **args)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"num_cache_objects": 0}, "num_cache_objects is 0, expected at least 1"),
        ({"replace_percent": 25}, r"expected a fraction from 0 to 1 \(0.25 for a quarter\)"),
    ],
)
def test_wrong_values_of_a_cache(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        make("SegmentationImagePipelineWithCache", **args)
    one = spec("ClassificationKerasImagePipelineWithCache")
    del one.args["num_cache_objects"]
    with pytest.raises(ClaraError, match="needs the argument 'num_cache_objects', a whole number"):
        create(one)


def test_zero_items_per_step_is_right_when_a_transform_makes_the_batch() -> None:
    assert make("SegmentationImagePipeline", output_batch_size=0, batched_by_transforms=True).batch_size == 1


@pytest.mark.parametrize("name", [name for name in PIPELINES if name.startswith("Segmentation")])
def test_segmentation(pictures: Path, name: str) -> None:
    found = batches(pictures, name, "masks", LOAD, FIRST, output_crop_size=[12, 10], output_batch_size=4)
    window = 4 if name.endswith("WithCache") else 6
    assert [len(batch["image"]) for batch in found] == ([4] if window == 4 else [4, 2])
    assert found[0]["image"].shape[1:] == found[0]["label"].shape[1:] == (1, 12, 10)
    assert found[0]["image"].dtype == torch.float32
    assert type(found[0]["image"]) is torch.Tensor
    for image, label in zip(found[0]["image"], found[0]["label"], strict=True):
        assert image[label == 1].mean() > image[label == 0].mean() + 50  # rows stay rows, in both


@pytest.mark.parametrize("name", [name for name in PIPELINES if name.startswith("Classification")])
def test_classification(pictures: Path, name: str) -> None:
    found = batches(
        pictures, name, "classes", LOAD_IMAGE, output_data_dims=2, output_batch_size=3, output_label_format=[1, 1, 1]
    )
    assert all(batch["label"].shape == (len(batch["image"]), 3) for batch in found)
    assert found[0]["label"].dtype == torch.float32
    numbers = torch.cat([batch["label"] for batch in found])
    assert set(map(tuple, numbers.tolist())) == {(0.0, 0.0, 1.0), (1.0, 0.0, 1.0)}


def test_a_single_class_label(pictures: Path) -> None:
    found = batches(pictures, "ClassificationImagePipeline", "scalars", LOAD_IMAGE, output_data_dims=2)
    assert sorted(found[0]["label"].flatten().tolist()) == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]


def test_the_label_format_must_fit(pictures: Path) -> None:
    [failed, *_] = batches(
        pictures, "ClassificationImagePipeline", "classes", LOAD_IMAGE, output_data_dims=2, output_label_format=[1, 1]
    )
    assert "the label [0, 0, 1] has 3 numbers, but output_label_format describes 2 labels" in failed.reason.replace(
        "[1, 0, 1]", "[0, 0, 1]"
    )
    with pytest.raises(ClaraError, match="output_label_format: a label format must hold .* none below 1"):
        make("ClassificationImagePipeline", output_label_format=[0])


def test_the_declared_channels_must_fit(pictures: Path) -> None:
    [failed, *_] = batches(
        pictures, "SegmentationImagePipeline", "masks", LOAD, output_crop_size=[12, 10], output_image_channels=3
    )
    assert "'image' has 1 channels, but output_image_channels of the image pipeline is 3: mend one" in failed.reason


@pytest.mark.parametrize(
    ("task", "key", "chain"), [("segmentation", "masks", [LOAD]), ("classification", "classes", [LOAD_IMAGE])]
)
def test_version_one(pictures: Path, task: str, key: str, chain: list[ComponentSpec]) -> None:
    found = batches(pictures, "ImagePipeline", key, *chain, task=task, crop_size=[12, 10], batch_size=2)
    assert [len(batch["image"]) for batch in found] == [2, 2, 2]
    assert found[0]["label"].shape == ((2, 1, 12, 10) if task == "segmentation" else (2, 3))


def test_the_task_of_version_one() -> None:
    with pytest.raises(ClaraError, match="argument 'task' of ImagePipeline is 'detection', expected one of"):
        make("ImagePipeline", task="detection")


CROP = element("FastCropByPosNegRatio", size=[4, 4], fields="image", label_field="label", batch_size=3)
MERGE = element("MergeBatchDims", fields=["image", "label"])


@pytest.mark.parametrize(
    ("args", "batch", "sizes"),
    [
        ({"batched_by_transforms": True, "output_batch_size": 3}, (), [3] * 6),  # a step comes from one scan
        ({"output_batch_size": 4}, (MERGE,), [12, 6]),  # B scans x b crops, the last batch smaller
    ],
)
def test_batching_crops(pictures: Path, args: dict[str, Any], batch: tuple, sizes: list[int]) -> None:
    found = batches(
        pictures, "SegmentationImagePipeline", "masks", LOAD, CROP, batch=batch, output_crop_size=[4, 4], **args
    )
    assert [len(one["image"]) for one in found] == sizes
    assert found[0]["image"].shape[1:] == (1, 4, 4)


def test_two_batching_crops_are_refused(pictures: Path) -> None:
    with pytest.raises(ClaraError, match="FastCropByPosNegRatio would make batches of crops that are batches already"):
        batches(pictures, "SegmentationImagePipeline", "masks", LOAD, CROP, CROP)
    with pytest.raises(ClaraError, match="a crop that makes batches cannot stand in batch_transforms"):
        batches(pictures, "SegmentationImagePipeline", "masks", LOAD, CROP, batch=(CROP,))


@pytest.mark.parametrize(
    ("args", "context", "message"),
    [
        ({}, {"crops": 3}, "every item becomes 3 crops and MergeBatchDims is not among the batch_transforms"),
        ({"batched_by_transforms": True}, {}, "but no transform makes a batch: a step has one item"),
        ({"sampling": "automatic"}, {}, "how Clara balanced categories is not documented"),
    ],
)
def test_notices(args: dict[str, Any], context: dict[str, Any], message: str) -> None:
    [notice] = make("SegmentationImagePipeline", **args).notices(BundleContext(**context))
    assert message in notice
    assert not make("SegmentationImagePipeline").notices(BundleContext())


def test_duplicates_and_categories(pictures: Path) -> None:
    options = {"output_data_dims": 2, "output_batch_size": 100}
    [twice] = batches(pictures, "ClassificationImagePipeline", "scalars", LOAD_IMAGE, duplicate_count=2, **options)
    assert len(twice["image"]) == 12
    [per] = batches(
        pictures, "ClassificationKerasImagePipeline", "scalars", LOAD_IMAGE, items_per_category=3, **options
    )
    assert sorted(per["label"].flatten().tolist()) == [0.0] * 3 + [1.0] * 3 + [2.0] * 3


def test_further_inputs(pictures: Path) -> None:
    extra = [{"name": "kind", "data_key": "label", "dtype": "int64", "shape": [3]}]
    [batch] = batches(
        pictures, "ClassificationImagePipeline", "classes", LOAD_IMAGE, output_data_dims=2, extra_inputs=extra
    )
    assert batch["kind"].shape == (6, 3)
    assert batch["kind"].dtype == torch.int64
    assert torch.equal(batch["kind"].float(), batch["label"])


def test_every_documented_argument_is_there() -> None:
    documented = {
        *("data_list_file_path", "data_file_base_dir", "data_list_key", "output_crop_size", "transforms"),
        *("output_data_format", "output_data_dims", "output_image_channels", "output_image_dtype"),
        *("output_label_format", "output_batch_size", "batched_by_transforms", "num_workers", "prefetch_size"),
        *("shuffle", "repeat", "duplicate_count", "extra_inputs", "batch_transforms", "items_per_category"),
        *("category_weights",),
    }
    for name in PIPELINES:
        if name != "ImagePipeline":
            assert documented <= set(inspect.signature(catalogue.components()[name]).parameters)
