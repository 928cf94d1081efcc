"""Training on what the data side does: caches, windows, batches of crops, pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clara_compat import train
from clara_compat.run.train import TrainResult

Make = Callable[..., Path]
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(autouse=True)
def _cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def weights(result: TrainResult) -> torch.Tensor:
    return torch.cat([value.detach().flatten() for value in result.network.state_dict().values()])


def without_validation(config: dict[str, Any]) -> None:
    config.pop("validate")


def with_cache(**args: Any) -> Change:
    def change(config: dict[str, Any]) -> None:
        without_validation(config)
        config["train"]["image_pipeline"]["name"] = "SegmentationImagePipelineWithCache"
        config["train"]["image_pipeline"]["args"] |= args

    return change


def test_where_scans_are_cached_changes_no_weight(small_mmar: Make, tmp_path: Path) -> None:
    results = [train(small_mmar(name=f"m{gb}"), overrides={"cache_gb": gb, "epochs": 2}) for gb in (0, 1e-6, 1)]
    assert torch.equal(weights(results[0]), weights(results[1]))
    assert torch.equal(weights(results[0]), weights(results[2]))
    assert len(list((tmp_path / "cache/clara_compat").rglob("*.pt"))) == 5  # of training and validation


@pytest.mark.parametrize("workers", [0, 1])
def test_a_smart_cache_trains_on_its_windows(small_mmar: Make, caplog: pytest.LogCaptureFixture, workers: int) -> None:
    caplog.set_level("INFO")
    options = {"num_cache_objects": 2, "replace_percent": 0.5, "output_batch_size": 1, "num_workers": workers}
    result = train(small_mmar(with_cache(**options)), overrides={"epochs": 4})
    assert result.stats["steps"] == 8
    cache = result.parser.get_parsed_content("train#cache")
    assert len(cache.held) == 2
    assert {Path(key.split("image")[-1]).name for key in cache.held}  # the window of epoch 4
    assert [cache.key(i) for i in (3, 0)] == list(cache.held)
    other = train(
        small_mmar(with_cache(**{**options, "num_workers": 1 - workers}), name="other"), overrides={"epochs": 4}
    )
    assert torch.equal(weights(result), weights(other))
    assert "train: caching 3 scans up to ScaleIntensityRanged" in caplog.text


BATCH_CODE = """
    import numpy as np
    from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer

    class Once(MultiFieldTransformer):
        '''Draws once for the whole batch, as code that saw an N axis did.'''

        seen = []

        def __init__(self, fields):
            MultiFieldTransformer.__init__(self, fields)

        def transform(self, transform_ctx):
            for field in self.fields:
                image = transform_ctx.get_image(field)
                assert str(image.get_shape_format()) == "NCDHW", image.get_shape_format()
                data = image.get_data() + np.random.rand()
                transform_ctx.set_image(field, image.new_image(data, image.get_shape_format()))
            return transform_ctx

        def is_deterministic(self):
            return False
"""


@pytest.mark.parametrize("slot", ["pre_transforms", "batch_transforms"])
def test_batches_of_crops_and_the_users_code_behind_them(small_mmar: Make, slot: str) -> None:
    def change(config: dict[str, Any]) -> None:
        without_validation(config)
        chain = config["train"]["pre_transforms"]
        crop = {"size": [16, 16, 16], "fields": "image", "label_field": "label", "batch_size": 3}
        chain[3] = {"name": "FastCropByPosNegRatio", "args": crop}
        config["train"]["batch_transforms"] = [{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}]
        config["train"][slot].append({"path": "once.Once", "args": {"fields": "image"}})

    def made(name: str) -> Path:
        mmar = small_mmar(change, name=name)
        (mmar / "custom").mkdir()
        (mmar / "custom/once.py").write_text(dedent(BATCH_CODE))
        return mmar

    result = train(made("one"), overrides={"epochs": 1})
    assert result.stats["steps"] == 2
    [batch, *_] = list(result.parser.get_parsed_content("train#dataloader"))
    assert batch["image"].shape == (6, 1, 16, 16, 16)
    again = train(made("two"), overrides={"epochs": 1, "train.image_pipeline.args.num_workers": 1})
    assert torch.equal(weights(result), weights(again))


def test_two_dimensional_pictures_train(small_mmar: Make, tmp_path: Path) -> None:
    """Grey PNG files, channels last, as 2-D MMARs have them."""
    rng = np.random.default_rng(0)
    for i in range(4):
        mask = np.zeros((40, 36), np.uint8)
        mask[10:28, 8:24] = 1
        Image.fromarray((rng.random(mask.shape) * 60 + mask * 120).astype(np.uint8)).save(tmp_path / f"i{i}.png")
        Image.fromarray(mask).save(tmp_path / f"m{i}.png")
    items = [{"image": f"i{i}.png", "label": f"m{i}.png"} for i in range(4)]
    (tmp_path / "list.json").write_text(json.dumps({"training": items[:3], "validation": items[3:]}))

    def change(config: dict[str, Any]) -> None:
        fields = {"fields": ["image", "label"]}
        config["train"]["pre_transforms"] = [
            {"name": "LoadPng", "args": fields},
            {"name": "ConvertToChannelsLast", "args": fields},
            {"name": "NormalizeNonzeroIntensities", "args": {"fields": "image"}},
            {"name": "CropFixedSizeRandomCenter", "args": {**fields, "size": [32, 32]}},
            {"name": "RandomRotate2D", "args": {**fields, "angle": 20, "is_random": True}},
            {"name": "RandomAxisFlip", "args": fields},
        ]
        config["validate"]["pre_transforms"] = [
            {"ref": "LoadPng"},
            {"ref": "ConvertToChannelsLast"},
            {"ref": "NormalizeNonzeroIntensities"},
        ]
        for section in ("train", "validate"):
            config[section]["image_pipeline"]["args"] |= {
                "output_crop_size": [32, 32],
                "output_data_dims": 2,
                "output_data_format": "channels_last",
            }
        config["validate"]["inferer"]["args"]["roi_size"] = [32, 32]

    data = {"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "list.json")}
    result = train(small_mmar(change), overrides={**data, "epochs": 1})
    assert 0 <= result.stats["epochs"][0]["metrics"]["mean_dice"] <= 1
    assert next(result.network.parameters()).ndim == 4
