"""What a step of a training holds and finds, in trainings made from configs of the time."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.bundle import ConfigParser
from monai.engines.utils import IterationEvents

from clara_compat.config.workflow import load_train_workflow
from clara_compat.engine import inferers
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.train import translate_train

Make = Callable[..., Path]


def ready(mmar: Path) -> ConfigParser:
    """Return the training of an MMAR, translated and about to run."""
    workflow = load_train_workflow(mmar / "config" / "config_train.json")
    (mmar / "models").mkdir()
    bundle = translate_train(workflow, Seeds(0, 0, 0, 0), mmar / "models")
    parser = ConfigParser(json.loads(json.dumps(bundle.config)))
    parser.get_parsed_content("initialize")
    return parser


def test_the_last_step_is_let_go_before_the_validation(small_mmar: Make) -> None:
    parser = ready(small_mmar())
    trainer, evaluator = (parser.get_parsed_content(name) for name in ("train#trainer", "validate#evaluator"))
    made: list[weakref.ref] = []
    alive: list[int] = []

    def remember(engine: Engine) -> None:
        made.extend(weakref.ref(engine.state.output[field]) for field in ("image", "label", "pred"))

    def look() -> None:
        gc.collect()
        alive.append(sum(one() is not None for one in made))

    trainer.add_event_handler(IterationEvents.MODEL_COMPLETED, remember)
    evaluator.add_event_handler(Events.STARTED, look)
    parser.get_parsed_content("run")
    assert len(made) == 3 * trainer.state.iteration
    assert alive == [0, 0]
    assert json.loads((Path(parser["ckpt_dir"]) / "train_stats.json").read_text())["epochs"][1]["loss"] > 0


@pytest.mark.parametrize("use_amp", [False, True])
def test_the_loss_is_made_of_the_logits(small_mmar: Make, monkeypatch: pytest.MonkeyPatch, use_amp: bool) -> None:
    """The class that is there has the probability 0 in float32: its logarithm, and a gradient, are in the logits only.

    Every step's loss is that of the logits in double precision, and the logits move.
    """
    monkeypatch.setattr(inferers, "native_bfloat16", lambda device: True)

    def change(config: dict[str, Any]) -> None:
        config.update(epochs=1, use_amp=use_amp, learning_rate=1.0)
        config["train"]["loss"] = {"name": "CrossEntropy", "args": {"smooth": 0.0}}

    parser = ready(small_mmar(change))
    trainer, network = parser.get_parsed_content("train#trainer"), parser.get_parsed_content("network")
    with torch.no_grad():
        network.head.bias.copy_(torch.tensor([150.0, -150.0]))
    given: list[torch.Tensor] = []
    found: list[tuple[float, float, float]] = []

    def compare(engine: Engine) -> None:
        logits, output = given[-1].double(), engine.state.output
        label = output["label"].long()
        log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
        expected = -log_p.gather(1, label).mean().item()
        smallest = output["pred"].detach().gather(1, label).min().item()
        found.append((output["loss"].item(), expected, smallest))

    network.activation.register_forward_hook(lambda module, args, result: given.append(args[0].detach()))
    trainer.add_event_handler(IterationEvents.MODEL_COMPLETED, compare)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: engine.terminate())
    trainer.run()
    [(loss, expected, smallest)] = found
    assert given[0].dtype == (torch.bfloat16 if use_amp else torch.float32)
    assert smallest == 0.0
    assert loss == pytest.approx(expected, rel=1e-5)
    assert loss > 1.0
    assert network.head.bias.grad[0] > 0.001  # without the logits the voxels of probability 0 would give none
