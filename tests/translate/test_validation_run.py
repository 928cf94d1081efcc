"""A training's validation as a config of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat.components.model_loaders.model_loader import ModelFiles
from clara_compat.config.workflow import load_train_workflow
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.native.train import native_train
from clara_compat.translate.train import translate_train
from clara_compat.translate.validation_run import keeps_best, native_validation_run, validation_run

Change = Callable[[dict[str, Any]], Any]
CHANGES: dict[str, tuple[Change, bool]] = {
    "as it is": (lambda config: None, True),
    "early stop": (
        lambda config: config["train"].update(handlers=[{"name": "EarlyStop", "args": {"val_times_threshold": 2}}]),
        True,
    ),
    "never validated": (lambda config: config.update(num_training_epoch_per_valid=0, validate_at_end=False), False),
    "no metrics": (lambda config: config["validate"].update(metrics=[]), False),
    "no section": (lambda config: config.pop("validate"), False),
}


@pytest.fixture
def exact(small_mmar: Callable[..., Path]) -> Callable[[str], dict[str, Any]]:
    def make(name: str) -> dict[str, Any]:
        mmar = small_mmar(CHANGES[name][0])
        workflow = load_train_workflow(mmar / "config/config_train.json")
        return translate_train(workflow, seeds_of(workflow.settings.determinism), mmar / "models").config

    return make


@pytest.mark.parametrize("name", CHANGES)
def test_whether_there_will_be_best_weights(exact: Callable[[str], dict[str, Any]], name: str) -> None:
    config = exact(name)
    assert keeps_best(config) == CHANGES[name][1]
    assert keeps_best(native_train(config).config) == CHANGES[name][1]


@pytest.mark.parametrize("name", ["no metrics", "no section"])
def test_without_metrics_there_is_nothing_to_run(exact: Callable[[str], dict[str, Any]], name: str) -> None:
    assert validation_run(exact(name), ModelFiles(Path("/m"), weights=Path("/m/model.pt"))) is None


def test_it_neither_trains_nor_keeps_anything_of_a_training(exact: Callable[[str], dict[str, Any]]) -> None:
    config = exact("early stop")
    folder = Path(config["ckpt_dir"])
    found = validation_run(config, ModelFiles(folder, weights=folder / "final_model.pt"))
    assert found is not None
    assert not {"train", "optimizer", "epochs", "learning_rate", "val_interval"} & set(found)
    assert found["network"]["file"] == "$@ckpt_dir + '/final_model.pt'"
    assert found["run"] == ["$@validate#evaluator.run()"]
    targets = [handler["_target_"].rpartition(".")[2] for handler in found["validate"]["handlers"]]
    assert targets == ["ReleaseOutput", "AuxiliaryOutputs", "StatsHandler"]
    assert {name: found[name] for name in ("dataset", "inferer", "evaluator")} == {
        name: f"@validate#{name}" for name in ("dataset", "inferer", "evaluator")
    }
    assert "CaseRecords" in str(config["validate"]["handlers"])  # the training's own config is as it was


@pytest.mark.parametrize(("name", "file"), [("early stop", "model.pt"), ("never validated", "final_model.pt")])
def test_in_plain_monai(exact: Callable[[str], dict[str, Any]], name: str, file: str) -> None:
    found = native_validation_run(native_train(exact(name)).config)
    [load, *others] = found["validate"]["handlers"]
    assert (load["_target_"], load["load_path"]) == ("CheckpointLoader", f"$@ckpt_dir + '/{file}'")
    assert not {"CheckpointSaver", "EarlyStopHandler"} & {one.get("_target_") for one in others if one != "@early_stop"}
    assert "@early_stop" not in others
    assert "early_stop" not in found
