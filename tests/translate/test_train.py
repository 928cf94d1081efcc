"""What the model says enters the bundle config."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat.config.workflow import load_train_workflow
from clara_compat.errors import ClaraError
from clara_compat.translate.bundle import Bundle, Seeds
from clara_compat.translate.train import translate_train

Make = Callable[..., Path]


def translated(make: Make, name: str, **args: Any) -> Bundle:
    mmar = make(lambda config: config["train"].update(model={"name": name, "args": {"num_classes": 2} | args}))
    workflow = load_train_workflow(mmar / "config" / "config_train.json")
    return translate_train(workflow, Seeds(0, 0, 0, 0), mmar / "models")


BATCH = {"use_batch_norm": True}
SMALL = {"blocks_down": "1,1", "blocks_up": "1"}


@pytest.mark.parametrize("args", [{"use_vae": True}, {"reg_weight": 1e-5}])
def test_the_networks_loss_is_the_trainers_only(small_mmar: Make, args: dict[str, Any]) -> None:
    config = translated(small_mmar, "SegResnet", **SMALL, **args).config
    assert config["train"]["trainer"]["loss_function"] == {
        "_target_": "clara_compat.engine.losses.extra.LossWithExtra",
        "loss": "@loss",
        "network": "@network",
    }
    assert config["loss"]["_target_"] == "clara_compat.engine.losses.dice.ClaraDiceLoss"
    assert config["train"]["handlers"][1]["ops"][0]["loss"] == "@loss"
    assert config["network_def"]["vae_image_size"] == ([16, 16, 16] if "use_vae" in args else None)


def test_without_one_the_loss_is_the_configured_one(small_mmar: Make) -> None:
    config = translated(small_mmar, "SegResnet", **SMALL).config
    assert config["train"]["trainer"]["loss_function"] == "@loss"


def test_the_models_notice_comes_once_with_its_address(small_mmar: Make) -> None:
    bundle = translated(small_mmar, "UnetParallel", nf_enc="4,4", nf_dec="4,4,4,4")
    [notice] = [notice for notice in bundle.notices if "UnetParallel" in notice.text]
    assert notice.address is not None
    assert notice.address.path == "train.model"


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("SegAhnet", {}, r"train.model: .*SegAhnet halves its input 5 times.* output_crop_size is \[16, 16, 16\]"),
        ("SegResnet", {"use_vae": True, "blocks_down": "1,1,1,1,1", "blocks_up": "1,1,1,1"}, r"train.model: .*VAE"),
        ("DenseNet121", {}, r"train.model: .*at least 29"),
    ],
)
def test_sizes_are_checked_at_the_model(small_mmar: Make, name: str, args: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        translated(small_mmar, name, **args)


@pytest.mark.parametrize(
    ("name", "args", "size", "message"),
    [
        ("Unet", {"nf_enc": "4,4,4,4", "nf_dec": "4,4,4,4,4,4"} | BATCH, 16, r"Unet normalises .* \[16, 16, 16\] a"),
        ("SegResnet", {"blocks_down": "1,1,1,1,1", "blocks_up": "1,1,1,1"} | BATCH, 16, "SegResnet normalises"),
        ("SegResnet", {"use_vae": True} | BATCH, 16, "SegResnet normalises"),
        ("SegAhnet", {}, 32, "SegAhnet normalises"),
        ("DenseNet121", {}, 32, "DenseNet121 normalises"),
        ("Alexnet", BATCH, 16, "Alexnet normalises"),
        ("Alexnet", BATCH, 17, None),
        ("SegResnet", BATCH, 16, None),
        ("Unet", {"nf_enc": "4,4,4,4", "nf_dec": "4,4,4,4,4,4"}, 16, None),
    ],
)
@pytest.mark.parametrize("batch", [1, 2])
def test_batches_of_one_voxel(
    small_mmar: Make, name: str, args: dict[str, Any], size: int, message: str | None, batch: int
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["model"] = {"name": name, "args": {"num_classes": 2} | args}
        config["train"]["image_pipeline"]["args"] |= {"output_batch_size": batch, "output_crop_size": [size] * 3}
        config["train"]["pre_transforms"] = config["train"]["pre_transforms"][:-2]
        config["validate"]["inferer"]["args"]["roi_size"] = [64, 64, 64]

    workflow = load_train_workflow(small_mmar(change) / "config" / "config_train.json")
    if message is None or batch > 1:
        assert translate_train(workflow, Seeds(0, 0, 0, 0), workflow.mmar / "models").config
        return
    with pytest.raises(ClaraError, match=f"train.model: the {message}") as caught:
        translate_train(workflow, Seeds(0, 0, 0, 0), workflow.mmar / "models")
    assert "larger output_batch_size or output_crop_size" in caught.value.message


def test_the_window_is_checked_against_any_model(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["model"] = {"name": "SegResnet", "args": {"num_classes": 2, **SMALL}}
        config["validate"]["inferer"]["args"]["roi_size"] = [16, 16, 15]

    workflow = load_train_workflow(small_mmar(change) / "config" / "config_train.json")
    with pytest.raises(ClaraError, match=r"inferer.args.roi_size: the SegResnet halves .* roi_size is \[16, 16, 15\]"):
        translate_train(workflow, Seeds(0, 0, 0, 0), workflow.mmar / "models")


@pytest.mark.parametrize(("activation", "raw"), [("sigmoid", False), ("linear", True)])
def test_operations_know_the_networks_activation(small_mmar: Make, activation: str, raw: bool) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["model"]["args"]["final_activation"] = activation
        config["train"]["loss"] = {"name": "Dice"}
        config["train"]["aux_ops"].append({"name": "ComputeMulticlassPreds"})

    workflow = load_train_workflow(small_mmar(change) / "config" / "config_train.json")
    config = translate_train(workflow, Seeds(0, 0, 0, 0), workflow.mmar / "models").config
    for section in ("train", "validate"):
        [operation] = [one["ops"][-1] for one in config[section]["handlers"] if "ops" in one]
        assert (operation["sigmoid"], operation["softmax"]) == (raw, raw)


def test_metrics_have_entries_of_their_own(small_mmar: Make) -> None:
    """As MONAI's bundles have them: ``val_key_metric`` is ``validate#key_metric``."""
    validate = translated(small_mmar, "SegResnet", **SMALL).config["validate"]
    assert list(validate["key_metric"]) == ["mean_dice"]
    assert list(validate["additional_metrics"]) == ["negloss"]
    assert validate["evaluator"]["key_val_metric"] == "@validate#key_metric"
    assert validate["evaluator"]["additional_metrics"] == "@validate#additional_metrics"


def test_every_handler_is_an_entry(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["lr_policy"] = {"name": "ReducePoly"}

    workflow = load_train_workflow(small_mmar(change) / "config" / "config_train.json")
    train = translate_train(workflow, Seeds(0, 0, 0, 0), workflow.mmar / "models").config["train"]
    assert all("_target_" in handler for handler in train["handlers"])
    named = train["handlers"][-2]
    assert named == {
        "_target_": "clara_compat.engine.handlers.named.NamedHandlers",
        "handlers": ["@train#events", "@train#tensorboard"],
    }


@pytest.mark.parametrize(
    ("determined", "setting", "written", "noted"),
    [
        (False, "auto", "auto", False),
        (False, "bf16", "bf16", False),
        (True, "auto", "off", False),
        (True, "off", "off", False),
        (True, "bf16", "off", True),
    ],
)
def test_accelerate_is_off_under_determinism(
    small_mmar: Make, determined: bool, setting: str, written: str, noted: bool
) -> None:
    mmar = small_mmar(lambda config: config.update({} if determined else {"determinism": None}))
    workflow = load_train_workflow(mmar / "config" / "config_train.json", overrides={"accelerate": setting})
    bundle = translate_train(workflow, Seeds(0, 0, 0, 0), mmar / "models")
    assert bundle.config["accelerate"] == written
    target = "clara_compat.engine.acceleration.handler.Acceleration"
    assert bundle.config["train"]["handlers"][-3] == {"_target_": target, "levers": "@accelerate"}
    told = ["accelerate is 'bf16', but determinism is set, under which it is off"] if noted else []
    assert [notice.text for notice in bundle.notices if "accelerate" in notice.text] == told
