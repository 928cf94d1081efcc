"""Models and losses that are not of the catalogue become entries of a bundle config."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat import check
from clara_compat.config.workflow import load_train_workflow
from clara_compat.errors import ClaraError
from clara_compat.run.module_check import made_network
from clara_compat.translate.bundle import Bundle, Seeds
from clara_compat.translate.limits import limits
from clara_compat.translate.train import translate_train

Make = Callable[..., Path]

CODE = """
    import tensorflow as tf
    import torch
    from torch import nn
    from monai.networks.nets import UNet
    from ai4med.components.losses.dice import Dice
    from ai4med.components.losses.loss import Loss
    from ai4med.components.models.model import Model
    from ai4med.components.models.unet import Unet

    class Net(Model):
        def __init__(self, width=4): ...
        def get_predictions(self, inputs, is_training, build_ctx): ...

    class MyLoss(Loss):
        def get_loss(self, predictions, targets, build_ctx=None): ...

    class Plain(nn.Module):
        def __init__(self, width=4): ...
        def forward(self, image): ...

    class Extra(UNet):
        def extra_loss(self): ...

    class Both(Model, nn.Module):
        def forward(self, image): ...

    class BothWays(nn.Module, Model):
        def forward(self, image): ...
        def get_predictions(self, inputs, is_training, build_ctx): ...

    class Own(nn.Module):
        def get_loss(self): ...
        def forward(self, image): ...

    class PlainLoss(nn.Module):
        def forward(self, predictions, targets): ...

    class LossOfBoth(nn.Module):
        def get_loss(self, predictions, targets, build_ctx=None): ...

    class SameDice(Dice): ...

    class TwiceDice(Dice):
        def get_loss(self, predictions, targets, build_ctx=None): ...

    class FixedDice(Dice):
        def __init__(self):
            Dice.__init__(self, jaccard=True)

    class SameUnet(Unet): ...

    class MoreUnet(Unet):
        def get_predictions(self, inputs, is_training, build_ctx): ...

    class PenalisedUnet(Unet):
        def get_loss(self): ...

    class Neither:
        def __call__(self, image): ...
"""
UNET = {"out_channels": 2, "channels": [4, 8], "strides": [2]}
COMPONENT = "clara_compat.tensorflow.loader.component"
MODULE = "clara_compat.engine.legacy.module.user_module"
LEGACY = "clara_compat.tensorflow.network.LegacyNetwork"
LEGACY_LOSS = "clara_compat.tensorflow.loss.legacy_loss"


def workflow_of(make: Make, model: Any = None, loss: Any = None, change: Callable[[Any], Any] | None = None) -> Any:
    def all_changes(config: dict[str, Any]) -> None:
        if model is not None:
            config["train"]["model"] = model
        if loss is not None:
            config["train"]["loss"] = loss
        if change is not None:
            change(config)

    mmar = make(all_changes)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(textwrap.dedent(CODE))
    return load_train_workflow(mmar / "config" / "config_train.json")


def translated(make: Make, start: Path | None = None, **parts: Any) -> Bundle:
    workflow = workflow_of(make, **parts)
    assert limits(workflow) == []
    return translate_train(workflow, Seeds(0, 0, 0, 0), workflow.mmar / "models", start)


def told(bundle: Bundle, section: str) -> list[str]:
    return [one.text for one in bundle.notices if one.address is not None and one.address.path == section]


def test_a_model_and_a_loss_written_for_clara(small_mmar: Make) -> None:
    bundle = translated(small_mmar, model={"path": "mine.Net", "args": {"width": 8}}, loss={"path": "mine.MyLoss"})
    config = bundle.config
    data = config["network_def"]["data_property"]
    assert config["network_def"] == {
        "_target_": LEGACY,
        "model": {"_target_": COMPONENT, "path": "mine.Net", "args": {"width": 8}},
        "name": "Net",
        "data_property": data,
        "spatial_size": [16, 16, 16],
        "learning_rate": "@learning_rate",
    }
    assert (data["num_data_dims"], data["num_channels"], data["crop_size"]) == (3, 1, [16, 16, 16])
    assert config["network_input"] == {
        "task": "segmentation",
        "spatial_dims": 3,
        "in_channels": 1,
        "size": [16, 16, 16],
    }
    assert config["loss_def"] == {
        "_target_": LEGACY_LOSS,
        "loss": {"_target_": COMPONENT, "path": "mine.MyLoss", "args": {}},
        "name": "MyLoss",
        "data_property": data,
        "network": "@network",
        "spatial_size": [16, 16, 16],
        "learning_rate": "@learning_rate",
        "final_activation": None,
    }
    assert config["loss"] == "$@loss_def.to(@device)"
    assert config["optimizer"]["params"] == "$[*@network.parameters(), *@loss.parameters()]"
    train = config["train"]
    assert train["trainer"]["loss_function"]["_target_"].endswith("LossWithExtra")
    facts = {"modules": ["@network", "@loss"], "optimizer": "@optimizer"}
    assert {"_target_": "clara_compat.engine.handlers.step_facts.StepFacts", **facts} in train["handlers"]
    [saved] = [one for one in train["handlers"] if "Checkpoints" in str(one)]
    assert saved["loss"] == "@loss"
    assert told(bundle, "train.model") == told(bundle, "train.loss") == []


def test_a_catalogues_model_is_as_before(small_mmar: Make) -> None:
    config = translated(small_mmar).config
    assert "network_input" not in config
    assert "loss_def" not in config
    assert config["optimizer"]["params"] == "$@network.parameters()"
    assert not any("StepFacts" in str(one) or "'loss'" in str(one) for one in config["train"]["handlers"][2:])


def test_weights_to_start_from_may_hold_the_losss(small_mmar: Make) -> None:
    config = translated(small_mmar, start=Path("/x.pt"), loss={"path": "mine.MyLoss"}).config
    assert config["loss"] == {
        "_target_": "clara_compat.engine.loss_variables.load_loss_into",
        "loss": "$@loss_def.to(@device)",
        "path": "/x.pt",
        "network": "@network",
    }


@pytest.mark.parametrize(
    ("name", "target", "extra"),
    [
        ("Net", LEGACY, True),
        ("Plain", MODULE, False),
        ("Extra", MODULE, True),
        ("Both", MODULE, False),
        ("BothWays", LEGACY, True),
        ("Own", MODULE, False),
    ],
)
def test_kinds_of_models(small_mmar: Make, name: str, target: str, extra: bool) -> None:
    bundle = translated(small_mmar, model={"path": f"mine.{name}"})
    assert bundle.config["network_def"]["_target_"] == target
    assert isinstance(bundle.config["train"]["trainer"]["loss_function"], dict) == extra
    notices = told(bundle, "train.model")
    assert any("returns goes to the loss, the metrics and the writers as it is" in one for one in notices) == (
        target == MODULE
    )
    assert any("get_loss of Own is not called: call it extra_loss" in one for one in notices) == (name == "Own")


@pytest.mark.parametrize(
    ("name", "target"), [("MyLoss", LEGACY_LOSS), ("PlainLoss", MODULE), ("LossOfBoth", LEGACY_LOSS)]
)
def test_kinds_of_losses(small_mmar: Make, name: str, target: str) -> None:
    bundle = translated(small_mmar, loss={"path": f"mine.{name}"})
    assert bundle.config["loss_def"]["_target_"] == target
    assert bool(told(bundle, "train.loss")) == (target == MODULE)


def test_a_subclass_that_changes_nothing_is_the_catalogues(small_mmar: Make) -> None:
    config = translated(small_mmar, loss={"path": "mine.SameDice", "args": {"smooth": "0.5"}}).config
    assert config["loss"]["_target_"].endswith("ClaraDiceLoss")
    assert config["loss"]["smooth"] == 0.5


SMALL = {"num_classes": 2, "nf_enc": "4,4,4,4", "nf_dec": "4,4,4,4,4,4,4"}


@pytest.mark.parametrize(
    ("slot", "path", "args", "own"),
    [
        ("loss", "SameDice", {}, False),
        ("loss", "TwiceDice", {"smooth": 0.5}, True),
        ("loss", "FixedDice", {}, True),
        ("model", "SameUnet", SMALL, False),
        ("model", "MoreUnet", SMALL, True),
        ("model", "PenalisedUnet", SMALL, True),
    ],
)
def test_a_subclass_with_a_method_of_its_own_runs_through_the_adapter(
    small_mmar: Make, slot: str, path: str, args: dict[str, Any], own: bool
) -> None:
    workflow = workflow_of(small_mmar, **{slot: {"path": f"mine.{path}", "args": args}})
    config = translate_train(workflow, Seeds(0, 0, 0, 0), workflow.mmar / "models").config
    target = (config["network_def"] if slot == "model" else config.get("loss_def", config["loss"]))["_target_"]
    assert (target in (LEGACY, LEGACY_LOSS)) == own
    [row] = [row for row in check(workflow.file, workflow.mmar, data=False).rows if row.component == f"mine.{path}"]
    assert (row.fidelity == "user code") == own
    if slot == "loss" and own:
        assert config["loss_def"]["final_activation"] == "softmax"


def test_networks_and_losses_of_monai_and_torch(small_mmar: Make) -> None:
    bundle = translated(
        small_mmar,
        model={"path": "monai.networks.nets.UNet", "args": UNET | {"act": "PRELU"}},
        loss={"path": "monai.losses.DiceCELoss", "args": {"to_onehot_y": True, "softmax": True, "weight": [1, 2]}},
    )
    config = bundle.config
    assert config["network_def"] == {
        "_target_": "monai.networks.nets.UNet",
        "spatial_dims": 3,
        "in_channels": 1,
        **UNET,
        "act": "PRELU",
    }
    assert config["loss_def"] == {
        "_target_": "monai.losses.DiceCELoss",
        "to_onehot_y": True,
        "softmax": True,
        "weight": "$torch.tensor([1.0, 2.0])",
    }
    assert config["loss"] == "$@loss_def.to(@device)"
    assert config["optimizer"]["params"] == "$@network.parameters()"
    assert config["train"]["trainer"]["loss_function"] == "@loss"
    [of_model], [of_loss] = told(bundle, "train.model"), told(bundle, "train.loss")
    assert "networks of MONAI return logits, while Clara's end in an activation" in of_model
    assert "labels as the image pipeline gives them (to_onehot_y=true makes one channel per class" in of_loss
    config = translated(lambda c: small_mmar(c, "other"), loss={"path": "torch.nn.BCELoss"}).config
    assert config["loss_def"] == {"_target_": "torch.nn.BCELoss"}


@pytest.mark.parametrize(
    ("slot", "path", "args", "message"),
    [
        (
            "model",
            "monai.networks.nets.UNnet",
            {},
            r"monai.networks.nets has no network 'UNnet'; did you mean 'U[Nn]et'",
        ),
        ("model", "monai.networks.nets.warnings", {}, "has no network 'warnings'"),
        ("model", "monai.networks.nets.UNet", UNET | {"strids": 1}, "UNet has no argument 'strids'"),
        ("model", "monai.networks.nets.UNet", {"channels": [4]}, "UNet needs the argument 'out_channels'"),
        (
            "model",
            "monai.networks.nets.UNet",
            UNET | {"in_channels": 4},
            r"train.model.args.in_channels: in_channels is 4, but the image pipeline gives 1",
        ),
        ("model", "monai.networks.nets.unet.UNet", {}, r"'monai.networks.nets.unet.UNet' is refused: of MONAI and"),
        ("model", "monai.bundle.ConfigParser", {}, r"is refused: of MONAI and torch a config may name networks of"),
        ("model", "torch.load", {}, "'torch.load' is refused"),
        ("model", "torch.nn.BCELoss", {}, "'BCELoss' is a loss and cannot stand here"),
        ("loss", "torch.nn.Conv3d", {}, "torch.nn has no loss 'Conv3d'"),
        ("loss", "torch.nn._Loss", {}, "'torch.nn._Loss' is refused"),
        ("loss", "monai.losses.PerceptualLoss", {}, "is refused: it downloads code and runs it"),
        ("model", "monai.networks.nets.Transchex", {}, "is refused: it downloads what its arguments name"),
        (
            "model",
            "monai.networks.nets.HoVerNet",
            {"pretrained_url": "http://localhost/x"},
            r"model.args.pretrained_url: the argument 'pretrained_url' of .*HoVerNet is refused in a config",
        ),
        *(
            (
                "model",
                "monai.networks.nets.DenseNet121",
                {"out_channels": 2, name: "os.system"},
                f"has no argument '{name}'",
            )
            for name in ("_target_", "_requires_", "_mode_", "a#b")
        ),
        ("loss", "monai.losses.MaskedLoss", {"loss": 1, "_target_": "os.system"}, "has no argument '_target_'"),
        ("loss", "monai.losses.DiceLoss", {"smooth": 1}, "DiceLoss has no argument 'smooth'; did you mean 'smooth_"),
        ("loss", "monai.networks.nets.UNet", {}, "'UNet' is a model and cannot stand here"),
        ("model", "mine.Neither", {}, r"Neither \(.*mine.py:\d+\) cannot be a model: derive it from Clara's Model and"),
        ("model", "mine.Plain", {"wdth": 3}, r"Plain \(.*mine.py:\d+\) has no argument 'wdth'; did you mean 'width'"),
        ("model", "mine.MyLoss", {}, "'MyLoss' is a loss and cannot stand here"),
    ],
)
def test_what_is_refused(small_mmar: Make, slot: str, path: str, args: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        translated(small_mmar, **{slot: {"path": path, "args": args}})


@pytest.mark.parametrize(
    ("crop", "windows", "expected"),
    [([16, -1, 16], [8, 8, 8], [16, 8, 16]), (None, [8, -1, 8], [8, 64, 8]), (None, None, [64, 64, 64])],
)
def test_sizes_that_the_pipeline_does_not_say(small_mmar: Make, crop: Any, windows: Any, expected: list[int]) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["image_pipeline"]["args"]["output_crop_size"] = crop
        if windows is None:
            del config["validate"]["inferer"]
        else:
            config["validate"]["inferer"]["args"]["roi_size"] = windows

    bundle = translated(small_mmar, model={"path": "mine.Net"}, change=change)
    assert bundle.config["network_def"]["spatial_size"] == bundle.config["network_input"]["size"] == expected
    assert f"Net is built with an image of {expected} voxels (assumed)" in told(bundle, "train.model")[0]


def test_what_check_says(small_mmar: Make) -> None:
    workflow = workflow_of(small_mmar, {"path": "mine.Net"}, {"path": "mine.PlainLoss"})
    report = check(workflow.file, data=False)
    assert (report.errors, report.limits) == ([], [])
    rows = {row.component: (row.becomes, row.fidelity) for row in report.rows}
    assert rows["mine.Net"] == ("the same code, through an adapter", "user code")
    assert rows["mine.PlainLoss"] == ("the same torch module", "user code")


def test_check_makes_what_is_of_monai(small_mmar: Make) -> None:
    args = UNET | {"strides": [2, 2, 2], "kernel_size": [3, 3]}
    loss = {"path": "monai.losses.DiceLoss", "args": {"sigmoid": True, "softmax": True}}
    workflow = workflow_of(small_mmar, {"path": "monai.networks.nets.UNet", "args": args}, loss)
    report = check(workflow.file)
    of_model, of_loss = (str(error) for error in report.errors)
    assert "train.model: monai.networks.nets.UNet cannot be made: ValueError: the length of `kernel_size`" in of_model
    assert "train.loss: monai.losses.DiceLoss cannot be made: ValueError: Incompatible values: more" in of_loss
    rows = {row.component: (row.becomes, row.fidelity) for row in report.rows}
    assert rows["monai.losses.DiceLoss"] == ("monai.losses.DiceLoss", "exact")


def test_check_says_which_lines_of_the_users_code_do_not_run(small_mmar: Make) -> None:
    network = """
        import tensorflow as tf
        from ai4med.components.models.model import Model

        class Net(Model):
            def __init__(self):
                Model.__init__(self)
            def get_predictions(self, inputs, is_training, build_ctx=None):
                return tf.nn.{symbol}(tf.layers.conv3d(inputs, 2, 1, data_format='channels_first'), axis=1)
    """
    mmar = small_mmar(lambda config: config["train"].update(model={"path": "net.Net"}))
    notices = {}
    for symbol in ("softmax", "softmaxx"):
        (mmar / "custom").mkdir(exist_ok=True)
        (mmar / "custom/net.py").write_text(textwrap.dedent(network.format(symbol=symbol)))
        report = check(mmar / "config/config_train.json")
        assert report.passed, report.errors
        notices[symbol] = [str(line) for line in report.code]
    assert notices["softmax"] == []
    [line] = notices["softmaxx"]
    assert line.startswith(f"{mmar / 'custom/net.py'}:9: ")
    assert "not provided: tf.nn.softmaxx; did you mean tf.nn.softmax?" in line


def test_check_takes_no_memory_for_a_network(small_mmar: Make) -> None:
    args = UNET | {"channels": [40_000, 400_000]}
    workflow = workflow_of(small_mmar, {"path": "monai.networks.nets.UNet", "args": args}, {"path": "mine.PlainLoss"})
    assert check(workflow.file).errors == []
    network = made_network(workflow)
    assert {str(parameter.device) for parameter in network.parameters()} == {"meta"}


def test_check_downloads_nothing(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*args: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("monai.networks.nets.resnet.get_pretrained_resnet_medicalnet", download)
    model = {"path": "monai.networks.nets.ResNetFeatures", "args": {"model_name": "resnet10"}}
    report = check(workflow_of(small_mmar, model, {"path": "mine.PlainLoss"}).file)
    assert report.errors == []
    assert any("ResNetFeatures may download its first weights when it" in one.text for one in report.notices)
