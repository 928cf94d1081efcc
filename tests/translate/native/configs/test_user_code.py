"""What is the user's own comes along where it needs nothing of Clara, and is named where it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from clara_compat.config.workflow import load_train_workflow
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native_config import is_ours
from clara_compat.translate.native.train import native_train
from clara_compat.translate.native.transforms import native_chain
from clara_compat.translate.train import translate_train

Run = Callable[[dict[str, Any]], dict[str, Any]]

CODE = {
    "nets": """
        from torch import nn

        class Net(nn.Module):
            def __init__(self, width=4):
                super().__init__()
                self.layers = nn.Sequential(nn.Conv3d(1, width, 3, padding=1), nn.Conv3d(width, 2, 1))

            def forward(self, image):
                return self.layers(image)

        class Loss(nn.Module):
            def forward(self, outputs, labels):
                return ((outputs[:, 1:] - labels) ** 2).mean()
        """,
    "any": """
        from torch import nn

        class Thing(nn.Module):
            def __init__(self, out_channels=2, **more):
                super().__init__()
                self.layer = nn.Conv3d(1, out_channels, 1)

            def forward(self, image, label=None):
                return self.layer(image)
        """,
    "parts": """
        from ai4med.components.handlers.train_handler import TrainHandler
        from ai4med.components.lr_policies.lr_policy import LRPolicy
        from ai4med.components.metrics.metric import Metric
        from ai4med.components.optimizers.optimizer import Optimizer
        from ai4med.libs.metrics.metric_list import MetricList

        class Rate(LRPolicy):
            def evaluate(self, train_ctx):
                return 1.0

        class Steps(Optimizer):
            def get_optimizer(self, lr):
                return None

        class Watch(TrainHandler):
            def start_epoch(self, ctx):
                pass

        class Mine(Metric):
            def __init__(self, name, field, label_field="label", is_key_metric=False):
                Metric.__init__(self, MetricList(name), field, label_field, is_key_metric=is_key_metric)
        """,
}


@pytest.fixture
def exact(small_mmar: Callable[..., Path]) -> Callable[..., dict[str, Any]]:
    """Return the exact config of a training with the user's own components, by their slots."""

    def make(**slots: Mapping[str, Any]) -> dict[str, Any]:
        def change(config: dict[str, Any]) -> None:
            for slot, element in slots.items():
                if slot == "metrics":
                    config["validate"]["metrics"] = [dict(element)]
                else:
                    config["train"][slot] = [dict(element)] if slot == "handlers" else dict(element)

        mmar = small_mmar(change)
        (mmar / "custom").mkdir()
        for name, text in CODE.items():
            lines = [line[8:] for line in text.splitlines()]
            (mmar / "custom" / f"{name}.py").write_text("\n".join(lines))
        workflow = load_train_workflow(mmar / "config/config_train.json")
        return translate_train(workflow, Seeds(0, 0, 0, 0), mmar / "models").config

    return make


NET, LOSS = {"path": "nets.Net", "args": {"width": 6}}, {"path": "nets.Loss"}


def test_a_torch_module_comes_along(exact: Callable[..., dict[str, Any]]) -> None:
    native = native_train(exact(model=NET, loss=LOSS), portable={"nets.Net", "nets.Loss"})
    assert native.config["network_def"] == {"_target_": "scripts.nets.Net", "width": 6}
    assert native.config["loss_def"] == {"_target_": "scripts.nets.Loss"}
    assert native.config["loss"] == "$@loss_def.to(@device)"
    assert native.config["optimizer"]["params"] == "$[*@network.parameters(), *@loss.parameters()]"
    assert native.weights == ""


def test_its_loss_gets_what_it_got(exact: Callable[..., dict[str, Any]]) -> None:
    """A network of the catalogue gave probabilities; the native one gives logits."""
    native = native_train(exact(loss=LOSS), portable={"nets.Loss"})
    activated = "torch.softmax(outputs, dim=1)"
    assert native.config["loss"] == f"$lambda outputs, labels: @loss_def.to(@device)({activated}, labels)"
    assert native.config["optimizer"]["params"] == "$[*@network.parameters(), *@loss_def.parameters()]"


@pytest.mark.parametrize("name", ["_odd", "a b", "__class__"])
def test_arguments_with_odd_names_go_to_no_class(
    exact: Callable[..., dict[str, Any]], run_native: Run, name: str
) -> None:
    """They are one escaped expression in the exact config, and cannot be names of a config's entries."""
    own = {"path": "any.Thing", "args": {name: 1, "out_channels": 2}}
    config = exact(model=own, loss=own)
    assert isinstance(config["network_def"]["module"]["args"], str)
    native = native_train(config, portable={"any.Thing"})
    assert native.config["network_def"]["_target_"] == "monai.networks.nets.UNet"
    assert native.config["loss"]["_target_"] == "DiceCELoss"
    assert run_native({**native.config, "epochs": 1, "device": "cpu"})["steps"] > 0


def test_the_chain_may_have_a_transform_with_odd_arguments(exact: Callable[..., dict[str, Any]]) -> None:
    chain = exact()["train"]["preprocessing"]["transforms"]
    component = {"_target_": "clara_compat.tensorflow.loader.component", "path": "a.B", "args": "${'_x': 1}"}
    own = {"_target_": "clara_compat.engine.legacy.transform.legacy_transform", "transform": component}
    [native] = native_chain([own], NativeContext(), ["image"])
    assert "'a.B' is your own" in native.difference
    assert len(native_chain([*chain, own], NativeContext(), ["image"])) == len(chain) + 1


@pytest.mark.parametrize(
    ("slots", "entry", "now", "text"),
    [
        ({"model": NET}, "network_def", "monai.networks.nets.UNet", "A stand-in that must be ported: nets.Net needs"),
        ({"loss": LOSS}, "loss_def", "DiceCELoss", "A stand-in that must be ported: nets.Loss needs"),
        ({"optimizer": {"path": "parts.Steps"}}, "optimizer", "torch.optim.Adam", "A stand-in that must be ported"),
        ({"lr_policy": {"path": "parts.Rate"}}, "train#events#policy", "", "parts.Rate needs Clara and is left out"),
        (
            {"handlers": {"path": "parts.Watch"}},
            "train#events#handlers#0",
            "",
            "parts.Watch needs Clara and is left out",
        ),
        (
            {"metrics": {"path": "parts.Mine", "args": {"name": "mine", "field": "model", "is_key_metric": True}}},
            "validate#key_metric#mine",
            "MeanDice",
            "parts.Mine needs Clara and is left out: port it to a metric of Ignite or MONAI. A stand-in",
        ),
    ],
)
def test_what_needs_clara_is_named(
    exact: Callable[..., dict[str, Any]],
    run_native: Run,
    slots: dict[str, Any],
    entry: str,
    now: str,
    text: str,
) -> None:
    native = native_train(exact(**slots))
    assert not is_ours({name: value for name, value in native.config.items() if not isinstance(value, str)})
    [difference] = [one for one in native.differences if one.entry == entry]
    assert difference.was == next(iter(slots.values()))["path"]
    assert difference.now == now
    assert difference.text.startswith(text)
    assert run_native({**native.config, "epochs": 1, "device": "cpu"})["steps"] > 0


def test_weights_fit_where_the_network_is_the_same() -> None:
    """DenseNet121 and AHNet are MONAI's, one level down in the exact network: the names lose their beginning."""
    from monai.bundle import ConfigParser

    from clara_compat.translate.native.facts import Facts
    from clara_compat.translate.native.networks import native_network

    entry = {
        "_target_": "clara_compat.engine.networks.densenet.ClaraDenseNet121",
        "spatial_dims": 2,
        "in_channels": 1,
        "out_channels": 3,
        "dropout_prob": 0.0,
        "reg_weight": 0.0,
        "final_activation": "softmax",
    }
    found = native_network(entry, Facts())
    assert found.weights == "net."
    exact = ConfigParser({"network": json.loads(json.dumps(entry))}).get_parsed_content("network").eval()
    native = ConfigParser({"network": found.native.entries[0]}).get_parsed_content("network").eval()
    native.load_state_dict({name.removeprefix("net."): value for name, value in exact.state_dict().items()})
    image = torch.rand(2, 1, 64, 64)
    torch.testing.assert_close(torch.softmax(native(image), dim=1), exact(image))
