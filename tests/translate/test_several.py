"""What ``multi_gpu`` puts into a config."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat.config.workflow import load_train_workflow
from clara_compat.run.migrate import migrate
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.limits import limits
from clara_compat.translate.train import translate_train

PLACE = "clara_compat.engine.distributed."


def config_of(mmar: Path, *, multi_gpu: bool) -> dict[str, Any]:
    workflow = load_train_workflow(Path("config/config_train.json"), mmar=mmar, overrides={"multi_gpu": multi_gpu})
    assert not limits(workflow)
    return translate_train(workflow, Seeds(1, 2, 3, 4), mmar / "models").config


def test_several_processes_meet_share_and_part(small_mmar: Callable[..., Path]) -> None:
    config = config_of(small_mmar(), multi_gpu=True)
    assert config["initialize"][0] == {"_target_": f"{PLACE}processes.start"}  # before anything is made
    assert config["finalize"] == [{"_target_": f"{PLACE}processes.end"}]
    assert config["train"]["handlers"][0] == {
        "_target_": f"{PLACE}training.TrainTogether",
        "network": "@network",
        "optimizer": "@optimizer",
    }
    assert "torch.cuda.current_device()" in config["device"]


def test_one_process_has_nothing_of_it(small_mmar: Callable[..., Path]) -> None:
    mmar = small_mmar()
    config = config_of(mmar, multi_gpu=False)
    assert PLACE not in json.dumps(config)
    several = config_of(mmar, multi_gpu=True)
    several["initialize"].pop(0)
    several["train"]["handlers"].pop(0)
    assert {**several, "finalize": [], "device": config["device"]} == config


@pytest.mark.parametrize("native", [False, True])
def test_a_bundle_says_so(native: bool, small_mmar: Callable[..., Path], tmp_path: Path) -> None:
    mmar = small_mmar(lambda config: config.update(multi_gpu=True))
    result = migrate(tmp_path / "bundle", mmar, native=native)
    text = (result.folder / "configs/train.json").read_text()
    assert (PLACE in text) is not native
    if native:
        assert json.loads(text)["finalize"] == []
        told = {one.entry: one.text for one in result.differences["train"]}
        assert told["train#handlers#0"].startswith("One process trains")
        assert {"initialize#0", "finalize#0"} <= set(told)
