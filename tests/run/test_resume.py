"""A training that goes on ends as one that was not interrupted: bit for bit."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from clara_compat import train
from clara_compat.engine.handlers.checkpoints import Checkpoints
from clara_compat.errors import ClaraError

Make = Callable[..., Path]


class Killed(BaseException):
    """Stands for the end of a process."""


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a checkpoint after every step."""
    monkeypatch.setitem(Checkpoints.__init__.__kwdefaults__, "minutes", 0.0)


@pytest.fixture
def killed_after(monkeypatch: pytest.MonkeyPatch, every_step: None) -> Callable[..., None]:
    """Train until a number of checkpoints has been written, and end there without another step."""

    def run(count: int, *arguments: Any, **more: Any) -> None:
        written = 0
        save = Checkpoints._save_checkpoint

        def counted(self: Checkpoints, *given: Any, **also: Any) -> None:
            nonlocal written
            save(self, *given, **also)
            written += 1
            if written == count:
                raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(Checkpoints, "_save_checkpoint", counted)
            with pytest.raises(Killed):
                train(*arguments, **more)

    return run


def course(folder: Path) -> list[dict[str, Any]]:
    """The epochs of a run without the time they took."""
    stats = json.loads((folder / "train_stats.json").read_text())
    return [{name: value for name, value in epoch.items() if "seconds" not in name} for epoch in stats["epochs"]]


def assert_same(first: Path, second: Path) -> None:
    """Whether two output folders are of the same run."""
    for name in ("final_model.pt", "model.pt"):
        weights = [torch.load(folder / name, weights_only=True) for folder in (first, second)]
        assert weights[0].keys() == weights[1].keys()
        assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items()), name
    assert course(first) == course(second)
    stats = [json.loads((folder / "train_stats.json").read_text()) for folder in (first, second)]
    assert all(stats[0][name] == stats[1][name] for name in ("best_epoch", "best_value", "steps", "seeds", "items"))
    cases = [json.loads((folder / "validation_cases.json").read_text()) for folder in (first, second)]
    assert cases[0] == cases[1]
    ends = [torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (first, second)]
    assert ends[0]["optimizer"]["param_groups"] == ends[1]["optimizer"]["param_groups"]
    assert torch.equal(ends[0]["processes"][0]["torch"], ends[1]["processes"][0]["torch"])
    assert ends[0]["events"] == ends[1]["events"] or ends[0]["events"] is None


def component(name: str, **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args}


def many(*changes: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        for one in changes:
            one(config)

    return change


def train_with(**entries: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda config: config["train"].update(entries)


def pipeline(name: str = "SegmentationImagePipeline", **args: Any) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        config["train"]["image_pipeline"]["name"] = name
        config["train"]["image_pipeline"]["args"] |= args

    return change


def dropout(config: dict[str, Any]) -> None:
    config["train"]["model"]["args"]["dropout_prob"] = 0.4


NOISE = [component("AddGaussianNoise", fields="image", probability=1.0)]
KINDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "adam_cosine_dropout": many(train_with(lr_policy=component("ReduceCosine")), dropout),
    "momentum_poly": many(
        train_with(optimizer=component("Momentum", momentum=0.9), lr_policy=component("ReducePoly")),
        lambda config: config.update(num_training_epoch_per_valid=2),
    ),
    "rmsprop_plateau_smart_cache": many(
        train_with(
            optimizer=component("RMSProp"),
            lr_policy=component("ReduceOnPlateau", plateau_count_trigger=1),
        ),
        pipeline(
            "SegmentationImagePipelineWithCache", num_cache_objects=3, replace_percent=0.34, output_batch_size=2
        ),
    ),
    "novograd_batch_transforms": train_with(
        optimizer=component("NovoGrad"),
        lr_policy=component("DecayOnStep", decay_ratio=0.5, decay_freq=3),
        batch_transforms=NOISE,
    ),
    "workers": many(pipeline(num_workers=2), dropout),
    "smart_cache_workers": pipeline(
        "SegmentationImagePipelineWithCache", num_cache_objects=2, replace_percent=0.5, output_batch_size=1, num_workers=2
    ),
    "amp": lambda config: config.update(use_amp=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_killed_after_every_checkpoint(small_mmar: Make, killed_after: Callable[..., None], kind: str) -> None:
    """Within the first epoch, before its validation, at its end, and so on: each time the next process goes on."""
    whole = small_mmar(KINDS[kind], name="whole")
    train(whole)
    mmar = small_mmar(KINDS[kind], name="killed")
    killed_after(1, mmar)
    starts = 1
    for starts in range(2, 20):
        try:
            killed_after(1, mmar, resume=True)
        except pytest.fail.Exception:
            break  # it was at its end
    assert starts >= 6
    assert_same(whole / "models", mmar / "models")
    stats = json.loads((mmar / "models/train_stats.json").read_text())
    assert len(stats["resumed"]) >= starts - 3
    assert not list((mmar / "models").glob("previous*"))
    assert not [path for path in (mmar / "models").iterdir() if path.name.startswith(".")]
