"""The data side by itself is the data side of the whole config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat.config.workflow import load_train_workflow
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.section_data import section_specs, translate_section_data
from clara_compat.translate.train import translate_train

INPUT = {"args": {"name": "extra", "data_key": "image", "shape": [1, 16, 16, 16]}}


def change(config: dict[str, Any]) -> None:
    config["extra_inputs"] = [INPUT]
    config["train"]["image_pipeline"]["args"]["extra_inputs"] = [{"args": {**INPUT["args"], "name": "more"}}]
    config["train"]["image_pipeline"]["args"]["duplicate_count"] = 3


@pytest.mark.parametrize("section", ["train", "validate"])
def test_entries_are_those_of_the_whole_config(small_mmar: Callable[..., Path], section: Any) -> None:
    workflow = load_train_workflow(small_mmar(change) / "config/config_train.json")
    seeds, folder = Seeds(1, 2, 3, 4), Path("models")
    whole, part = translate_train(workflow, seeds, folder), translate_section_data(workflow, section, seeds, folder)
    assert set(part.config[section]) == {"data", "preprocessing", "plan"}
    assert part.config[section].items() <= whole.config[section].items()
    assert part.sources[section] == whole.sources[section]
    assert part.config["seed"] == whole.config["seed"] == 1
    assert "extra" in str(part.config[section]["preprocessing"]["transforms"][-1])
    assert not {"network", "network_def", "loss", "optimizer"} & part.config.keys()


def test_what_a_section_is_made_of(small_mmar: Callable[..., Path]) -> None:
    workflow = load_train_workflow(small_mmar() / "config/config_train.json")
    specs = section_specs(workflow, "validate")
    assert [spec.name for spec in specs.all] == [
        "SegmentationImagePipeline",
        "LoadNifti",
        "ConvertToChannelsFirst",
        "ScaleIntensityRange",
    ]


def test_user_code_that_is_not_there_keeps_its_path(small_mmar: Callable[..., Path]) -> None:
    """A config is translated without its code as well, for somewhere the code is."""

    def users(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"].append({"path": "away.noise.MyNoise", "args": {"fields": "image"}})

    workflow = load_train_workflow(small_mmar(users) / "config/config_train.json", user_code_required=False)
    part = translate_section_data(workflow, "train", Seeds(1, 2, 3, 4), Path("models"))
    [entry] = [one for one in part.config["train"]["preprocessing"]["transforms"] if "MyNoise" in str(one)]
    assert entry["transform"]["path"] == "away.noise.MyNoise"
