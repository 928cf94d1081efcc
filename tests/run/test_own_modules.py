"""Networks and losses of the user, of MONAI and of torch: trained, evaluated, fine-tuned, exported."""

from __future__ import annotations

import json
import logging
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from clara_compat import check, evaluate, export, train
from clara_compat.errors import ClaraError

Make = Callable[..., Path]

CODE = """
    import torch
    from torch import nn
    from ai4med.common.build_ctx import BuildContext
    from ai4med.components.losses.dice import Dice
    from ai4med.components.losses.loss import Loss
    from ai4med.components.models.model import Model
    from ai4med.components.models.seg_resnet import SegResnet

    SEEN = []

    class Inside(Model):
        '''Clara's base class with torch inside.'''

        def __init__(self, width=4):
            Model.__init__(self)
            self.body = nn.Conv3d(1, width, 3, padding=1)
            self.head = nn.Conv3d(width, 2, 1)

        def get_predictions(self, inputs, training, build_ctx):
            label = build_ctx.must_get(BuildContext.KEY_LABEL_INPUT)
            assert label.shape[0] == inputs.shape[0] and label.shape[2:] == inputs.shape[2:]
            SEEN.append((training, float(label.sum()), build_ctx.must_get("learning_rate")))
            return torch.softmax(self.head(torch.relu(self.body(inputs))), dim=1)

        def get_loss(self):
            return 1e-3 * self.head.weight.square().sum()

    class Weighted(Loss):
        '''A loss with a variable of its own.'''

        def __init__(self):
            Loss.__init__(self)
            self.scale = nn.ParameterList([nn.Parameter(torch.tensor(1.0))])

        def get_loss(self, predictions, targets, build_ctx=None):
            error = (predictions[:, 1:] - targets).square().mean()
            return error * torch.exp(-self.scale[0]) + self.scale[0]

    class Constant(Loss):
        def get_loss(self, predictions, targets, build_ctx=None):
            return predictions.detach().mean()

    class Net(nn.Module):
        '''A plain module of torch.'''

        def __init__(self, width=4, note=""):
            super().__init__()
            self.layers = nn.Sequential(nn.Conv3d(1, width, 3, padding=1), nn.ReLU(), nn.Conv3d(width, 2, 1))

        def forward(self, image):
            return self.layers(image)

        def extra_loss(self):
            return 1e-3 * self.layers[2].weight.square().sum()

    class MySegResnet(SegResnet):
        '''A subclass of a built-in that calls the built-in's methods.'''

        def get_predictions(self, inputs, is_training, build_ctx):
            return SegResnet.get_predictions(self, inputs, is_training, build_ctx)

        def get_loss(self):
            return super(MySegResnet, self).get_loss()

    class MyDice(Dice):
        def get_loss(self, predictions, targets, build_ctx=None):
            return 1.0 * Dice.get_loss(self, predictions, targets, build_ctx)

    class Both(Model, nn.Module):
        '''Clara's class and torch's.'''

        def __init__(self):
            nn.Module.__init__(self)
            self.layer = nn.Conv3d(1, 2, 1)

        def forward(self, image):
            return self.layer(image)

    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv3d(1, 2, 1)

        def forward(self, image):
            return self.layer(image)[7:, 0] + torch.ones(3)

    class NoGradient(nn.Module):
        def forward(self, predictions, targets):
            return predictions.argmax(1).float().mean()

    class NoForward(nn.Module):
        pass

    class Neither:
        def __call__(self, image):
            return image
"""

MONAI_UNET = {
    "path": "monai.networks.nets.UNet",
    "args": {"out_channels": 2, "channels": [4, 8], "strides": [2], "num_res_units": 1, "norm": "INSTANCE"},
}
MONAI_DICE = {"path": "monai.losses.DiceLoss", "args": {"to_onehot_y": True, "softmax": True}}

EVALUATION: dict[str, Any] = {
    "DATA_LIST_KEY": "validation",
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
    "model_loader": {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}},
    "pre_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["image"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
        {
            "name": "ScaleIntensityRange",
            "args": {"fields": "image", "a_min": -50, "a_max": 150, "b_min": 0, "b_max": 1, "clip": True},
        },
    ],
    "label_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["label"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["label"]}},
    ],
    "val_metrics": [{"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model", "label_field": "label"}}],
}


@pytest.fixture
def own(small_mmar: Make) -> Callable[..., Path]:
    """Make an MMAR with user code and a model and loss; both configs."""

    def make(model: Any, loss: Any = None, **top: Any) -> Path:
        def change(config: dict[str, Any]) -> None:
            config.update(epochs=1, **top)
            config["train"]["model"] = model
            config["train"]["loss"] = loss or {"name": "Dice"}

        mmar = small_mmar(change)
        (mmar / "custom").mkdir()
        (mmar / "custom/mine.py").write_text(textwrap.dedent(CODE))
        (mmar / "config/config_validation.json").write_text(json.dumps(EVALUATION))
        return mmar

    return make


def bundle(mmar: Path) -> dict[str, Any]:
    return json.loads((mmar / "models/configs/train.json").read_text())


PAIRS = {
    "legacy": ({"path": "mine.Inside", "args": {"width": 3}}, {"path": "mine.Weighted"}),
    "module": ({"path": "mine.Net", "args": {"note": "@x # $y"}}, MONAI_DICE),
    "stock": (MONAI_UNET, MONAI_DICE),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["legacy", "module", "stock"])
def test_train_evaluate_fine_tune_export(own: Callable[..., Path], kind: str, caplog: pytest.LogCaptureFixture) -> None:
    mmar = own(*PAIRS[kind], use_amp=kind == "stock")
    report = check(mmar / "config/config_train.json")
    assert (report.errors, report.limits) == ([], [])
    first = train(mmar, overrides={"epochs": 2})
    assert first.stats["epochs"][-1]["metrics"]["mean_dice"] >= 0.0
    weights = torch.load(mmar / "models/model.pt", weights_only=True)
    assert weights
    assert all(isinstance(one, torch.Tensor) for one in weights.values())
    overrides = {"do_validation": True, "output_infer_result": False, "use_amp": kind == "stock"}
    found = evaluate(mmar, overrides=overrides)
    assert found.metrics["dice"] == pytest.approx(first.stats["best_value"], abs=1e-4)
    overrides = {"MMAR_CKPT": "models/model.pt", "MMAR_CKPT_DIR": "again", "learning_rate": 1e-12}
    tuned = train(mmar, overrides=overrides).network.state_dict()
    assert all(torch.allclose(weights[name], tuned[name].cpu(), atol=1e-5) for name in weights)
    with caplog.at_level(logging.INFO, "clara_compat"):
        result = export(mmar / "models", mmar=mmar)
    assert set(result.paths) == {"torchscript", "onnx"}
    assert json.loads((mmar / "models/configs/metadata.json").read_text())["network_data_format"]["inputs"]["image"][
        "spatial_shape"
    ] == [16, 16, 16]
    assert max(result.differences.values()) <= 1e-4
    script = torch.jit.load(mmar / "models/model.ts")
    image = torch.rand(2, 1, 16, 16, 16)
    best = first.network.cpu().eval()
    best.load_state_dict(weights)
    torch.testing.assert_close(script(image), best(image), rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_a_subclass_that_calls_the_built_in_trains_as_it(own: Callable[..., Path], data_format: str) -> None:
    args = {"num_classes": 2, "blocks_down": "1,1", "blocks_up": "1", "reg_weight": 1e-3, "use_vae": True}
    loss = {"squared_pred": True, "skip_background": True}
    mmar = own({"path": "mine.MySegResnet", "args": args}, {"path": "mine.MyDice", "args": loss}, learning_rate=1e-2)
    more: dict[str, Any] = {"epochs": 2}
    if data_format == "channels_last":
        more["train.image_pipeline.args.output_data_format"] = data_format
    found = train(mmar, overrides=more)
    weights = torch.load(mmar / "models/model.pt", weights_only=True)
    evaluated = evaluate(mmar, overrides={"do_validation": True, "output_infer_result": False})
    assert evaluated.metrics["dice"] == pytest.approx(found.stats["best_value"], abs=1e-4)
    assert max(export(mmar / "models", mmar=mmar, onnx=False).differences.values()) <= 1e-4
    config = json.loads((mmar / "config/config_train.json").read_text())
    config["train"]["model"] = {"name": "SegResnet", "args": args}
    config["train"]["loss"] = {"name": "Dice", "args": loss}
    (mmar / "config/config_train.json").write_text(json.dumps(config))
    native = train(mmar, overrides=more | {"MMAR_CKPT_DIR": "native"})
    prefix = "parts.built_in_network."
    assert {name.removeprefix(prefix) for name in weights} == set(native.network.state_dict())
    for ours, theirs in zip(found.stats["epochs"], native.stats["epochs"], strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
        assert ours["metrics"] == pytest.approx(theirs["metrics"], abs=1e-3)


@pytest.mark.slow
def test_a_losss_variables_are_trained_and_kept(own: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    mmar = own(*PAIRS["legacy"], learning_rate=0.1)
    trained = train(mmar)
    scale = next(trained.parser.get_parsed_content("loss").parameters()).detach()
    assert abs(float(scale) - 1.0) > 0.05
    kept = torch.load(mmar / "models/checkpoint.pt", weights_only=True)
    assert torch.equal(next(iter(kept["loss"].values())), scale)
    with caplog.at_level(logging.INFO, "clara_compat"):
        again = train(mmar, overrides={"MMAR_CKPT": "models/checkpoint.pt", "learning_rate": 1e-12})
    assert torch.allclose(next(again.parser.get_parsed_content("loss").parameters()), scale, atol=1e-6)
    assert "1 of its 1 tensors are taken over" in caplog.text


@pytest.mark.slow
def test_a_model_is_told_label_and_learning_rate(own: Callable[..., Path]) -> None:
    mmar = own(
        *PAIRS["legacy"],
        learning_rate=0.25,
    )
    result = train(mmar)
    network = result.network
    seen = vars(type(network.user))["get_predictions"].__globals__["SEEN"]
    trained = [(label, rate) for training, label, rate in seen if training][-2:]
    assert all(label > 0 for label, _ in trained)
    assert [rate for _, rate in trained] == [0.25, 0.25]
    assert {label for training, label, _ in seen if not training} == {0.0}
    network.eval()(torch.rand(1, 1, 16, 16, 16))
    extra = result.parser.get_parsed_content("train#trainer").loss_function._extra()
    assert float(extra) == pytest.approx(1e-3 * float(network.user.head.weight.square().sum()))


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        ({"path": "mine.Broken"}, None, r"^.*mine.py:\d+: RuntimeError: The size of tensor a"),
        ({"path": "mine.NoForward"}, None, r"^'NoForward' has no method forward, which torch calls"),
        (
            MONAI_UNET,
            {"path": "mine.NoGradient"},
            r"train.loss: the loss has no gradient by which the network could be",
        ),
        (
            MONAI_UNET,
            {"path": "mine.Constant"},
            r"loss 'Constant': .*mine.py:\d+: what get_loss returned has no gradient",
        ),
        (
            MONAI_UNET,
            {"path": "monai.losses.DiceLoss"},
            r"train.loss: monai.losses.DiceLoss: AssertionError: ground truth has different shape",
        ),
        (
            MONAI_UNET,
            {"path": "torch.nn.BCELoss"},
            r"train.loss: torch.nn.BCELoss: ValueError: Using a target size",
        ),
        (
            {"path": MONAI_UNET["path"], "args": MONAI_UNET["args"] | {"channels": [4] * 7, "strides": [2] * 6}},
            MONAI_DICE,
            r"train.model: monai.networks.nets.UNet: ",
        ),
    ],
)
def test_an_error_of_a_step_is_one_sentence(own: Callable[..., Path], model: Any, loss: Any, message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        train(own(model, loss))


def test_weights_are_compared_with_a_network_of_monai(own: Callable[..., Path]) -> None:
    mmar = own(*PAIRS["stock"])
    train(mmar)
    more = {"MMAR_CKPT": "models/model.pt", "train.model.args.out_channels": 3}
    [told] = [
        one for one in check(mmar / "config/config_train.json", overrides=more).notices if "weights of" in one.text
    ]
    assert "of the network's" in told.text
    assert "(3," in told.text


def test_code_of_the_network_is_the_users_own(
    own: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mmar = own(*PAIRS["module"])
    train(mmar)
    with pytest.raises(ClaraError, match=r"the network is the user's class 'mine.Net', .*name its MMAR with export"):
        export(mmar / "models")
    with pytest.raises(ClaraError, match="--mmar is .*nowhere, which is no folder"):
        export(mmar / "models", mmar=tmp_path / "nowhere")
    (mmar / "custom/mine.py").rename(tmp_path / "mine.py")
    validate = {"do_validation": True, "output_infer_result": False}
    with pytest.raises(ClaraError, match="model_loader: .*|the network is the user's class 'mine.Net'"):
        evaluate(mmar, overrides=validate)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert 0 <= evaluate(mmar, overrides=validate).metrics["dice"] <= 1
    assert set(export(mmar / "models", onnx=False).paths) == {"torchscript"}


@pytest.mark.slow
def test_weights_alone_are_of_the_network_that_the_training_config_says(own: Callable[..., Path]) -> None:
    mmar = own(*PAIRS["legacy"])
    best = train(mmar).stats["best_value"]
    (mmar / "models/configs/train.json").unlink()
    found = evaluate(mmar, overrides={"do_validation": True, "output_infer_result": False})
    assert found.metrics["dice"] == pytest.approx(best, abs=1e-4)
