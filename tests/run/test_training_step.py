"""What a step of a training holds and finds, in trainings made from configs of the time."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable
from pathlib import Path

from ignite.engine import Engine, Events
from monai.bundle import ConfigParser
from monai.engines.utils import IterationEvents

from clara_compat.config.workflow import load_train_workflow
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
