"""What the configs of an MMAR become together, and what the user is told of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat.engine.evaluation.cases import image_files
from clara_compat.errors import ClaraError
from clara_compat.run.migrated_configs import migrated_configs
from clara_compat.run.native_bundle import native_bundle

EVALUATION: dict[str, Any] = {
    "DATA_LIST_KEY": "training",
    "pre_transforms": [{"name": "LoadNifti", "args": {"fields": ["image"]}}],
    "label_transforms": [{"name": "LoadNifti", "args": {"fields": ["label"]}}],
    "val_metrics": [
        {"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model", "label_field": "label"}},
    ],
    "writers": [{"name": "WriteNifti", "args": {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}}],
}
Make = Callable[..., Path]


@pytest.fixture
def both(small_mmar: Make) -> Callable[..., Path]:
    """Make an MMAR with a config for training and one for evaluation, of which some values are others."""

    def make(**changes: Any) -> Path:
        mmar = small_mmar()
        (mmar / "config/config_validation.json").write_text(json.dumps({**copy.deepcopy(EVALUATION), **changes}))
        return mmar

    return make


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "do_validation: the bundle's evaluation compares with the labels, as Clara's validate.sh told it to"),
        (
            {"model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "/nowhere"}}},
            "model_loader: the folder '/nowhere' does not exist: train first, or mend",
        ),
        ({}, "the bundle evaluates the weights of its own training"),
        ({}, "holds no weights: train the bundle before it is evaluated"),
    ],
)
def test_what_is_changed_is_told(both: Callable[..., Path], changes: dict[str, Any], text: str) -> None:
    found = migrated_configs(mmar=both(**changes))
    assert text in "\n".join(map(str, found.notices))
    assert list(found.configs) == ["train", "evaluate", "inference"]
    assert found.configs["evaluate"]["metrics"]["dice"]["_target_"].endswith("ClaraDice")


def test_without_weights_and_training_there_is_no_network(both: Callable[..., Path]) -> None:
    with pytest.raises(ClaraError, match="the folder '.*models' does not exist: train first, or mend"):
        migrated_configs(["config/config_validation.json"], mmar=both())


def test_two_for_evaluation(both: Callable[..., Path]) -> None:
    mmar = both()
    (mmar / "config/other.json").write_text(json.dumps(EVALUATION))
    with pytest.raises(ClaraError, match=r"_validation.json and .*other.json are both for evaluation: a"):
        migrated_configs(["config/config_validation.json", "config/other.json"], mmar=mmar)


def test_the_folder_of_the_weights_has_a_name(small_mmar: Make) -> None:
    with pytest.raises(ClaraError, match="MMAR_CKPT_DIR is empty"):
        migrated_configs(mmar=small_mmar(), overrides={"MMAR_CKPT_DIR": ""})


def test_an_evaluation_without_a_folder_of_weights(both: Callable[..., Path]) -> None:
    given = {"MMAR_CKPT_DIR": None}
    with pytest.raises(ClaraError, match=r"config_validation.json:1: MMAR_CKPT_DIR is empty"):
        migrated_configs(["config/config_validation.json"], mmar=both(), overrides=given)


def test_a_folder_of_weights_that_can_never_be(small_mmar: Make) -> None:
    """Weights that are not there do not come along; the bundle has a folder of its own for them."""
    found = migrated_configs(mmar=small_mmar(), overrides={"MMAR_CKPT_DIR": "n" * 300})
    assert {"train", "evaluate"} <= found.bundles.keys()
    assert not found.weights


def test_weights_of_another_network_stay_behind(small_mmar: Make, tmp_path: Path) -> None:
    from clara_compat import migrate, train

    mmar = small_mmar()
    train(mmar, overrides={"epochs": 1})
    found = migrated_configs(mmar=mmar)
    assert list(found.weights) == ["model.pt"]
    assert native_bundle(found).weights is None
    result = migrate(tmp_path / "bundle", mmar, native=True)
    told = "the native network is another one: the weights do not fit it and stay behind; train the bundle anew"
    assert told in str(result.notices)


@pytest.mark.parametrize("native", [False, True])
def test_the_weights_that_a_training_starts_from_come_along(small_mmar: Make, tmp_path: Path, native: bool) -> None:
    import torch

    mmar = small_mmar()
    (tmp_path / "elsewhere").mkdir()
    torch.save({"x": torch.zeros(1)}, tmp_path / "elsewhere/good.pt")
    found = migrated_configs(mmar=mmar, overrides={"MMAR_CKPT": str(tmp_path / "elsewhere/good.pt")})
    assert found.weights == {"start/good.pt": tmp_path / "elsewhere/good.pt"}
    assert found.configs["train"]["network"]["path"] == "$@bundle_root + '/models/start/good.pt'"
    if native:
        made = native_bundle(found)
        [told] = [one for one in made.differences["train"] if one.entry == "network"]
        assert told.text == "The training starts from new weights: those of the file do not fit."
        assert "start_weights" not in made.configs["train"]


def test_what_is_told_is_told_once(both: Callable[..., Path]) -> None:
    mmar = both(use_amp=True)
    config = json.loads((mmar / "config/config_train.json").read_text())
    config["use_xla"] = True
    (mmar / "config/config_train.json").write_text(json.dumps(config))
    texts = [notice.text for notice in migrated_configs(mmar=mmar).notices]
    assert "use_xla has no counterpart and is ignored" in texts
    assert len(texts) == len(set(texts))


def inference(mmar: Path) -> tuple[list[dict[str, Any]], str]:
    """Return the transforms of the images of the inference that a training implies, and what is told."""
    found = migrated_configs(["config/config_train.json"], mmar=mmar)
    told = "\n".join(map(str, found.notices))
    return found.configs["inference"]["preprocessing"]["transforms"], told


def test_an_inference_does_with_an_image_what_the_validation_does(small_mmar: Make) -> None:
    mask = {"name": "MaskImage", "args": {"image_field": "image", "mask_field": "label"}}
    flip = {"name": "ReplaceLabels", "args": {"fields": "label", "input_labels": [1], "output_labels": [2]}}
    mmar = small_mmar(lambda config: config["validate"]["pre_transforms"].extend([mask, flip]))
    chain, told = inference(mmar)
    assert [one["_target_"].rpartition(".")[2] for one in chain] == [
        "LoadNiftid",
        "ConvertToChannelsFirstd",
        "ScaleIntensityRanged",
    ]
    assert all(one["keys"] in (["image"], "image") for one in chain)
    assert "MaskImage looks at the label: inference leaves it out" in told
    assert "ReplaceLabels" not in told


def test_without_a_validation_it_is_the_training_without_chance(small_mmar: Make) -> None:
    chain, told = inference(small_mmar(lambda config: config.pop("validate")))
    assert [one["_target_"].rpartition(".")[2] for one in chain] == [
        "LoadNiftid",
        "ConvertToChannelsFirstd",
        "ScaleIntensityRanged",
    ]
    for name in ("FastPosNegRatioCropROI", "ScaleShiftIntensity"):
        assert f"{name} is of the training only: inference leaves it out" in told


@pytest.mark.parametrize(
    ("args", "target", "arguments"),
    [
        ({"num_classes": 2}, "AsDiscreted", {"argmax": True}),
        ({"num_classes": 1}, "AsDiscreted", {"threshold": 0.5}),
        ({"num_classes": 3, "final_activation": "sigmoid"}, "AsDiscreted", {"threshold": 0.5}),
    ],
)
def test_how_a_mask_is_made(small_mmar: Make, args: dict[str, Any], target: str, arguments: dict[str, Any]) -> None:
    mmar = small_mmar(lambda config: config["train"]["model"]["args"].update(args))
    found = migrated_configs(["config/config_train.json"], mmar=mmar)
    [mask] = found.configs["inference"]["postprocessing"]["transforms"]
    assert mask["_target_"] == target
    assert arguments.items() <= mask.items()
    [writer] = found.configs["inference"]["writers"]
    assert writer["keys"] == ["model"]


def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("")
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ClaraError, match=r"there are no images in '.*': put them there, or name .* --dataset_dir"):
            image_files(folder)
    (tmp_path / "b.nii").write_text("")
    (tmp_path / "a").mkdir()
    assert image_files(tmp_path) == [str(tmp_path / "a"), str(tmp_path / "b.nii")]
