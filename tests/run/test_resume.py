"""A training that goes on ends as one that was not interrupted: bit for bit."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from clara_compat import train
from clara_compat.engine.checkpoint_files import write_checkpoint
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
    assert str(ends[0]["events"]) == str(ends[1]["events"])


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
        pipeline("SegmentationImagePipelineWithCache", num_cache_objects=3, replace_percent=0.34, output_batch_size=2),
    ),
    "novograd_batch_transforms": train_with(
        optimizer=component("NovoGrad"),
        lr_policy=component("DecayOnStep", decay_ratio=0.5, decay_freq=3),
        batch_transforms=NOISE,
    ),
    "workers": many(pipeline(num_workers=2), dropout),
    "smart_cache_workers": pipeline(
        "SegmentationImagePipelineWithCache",
        num_cache_objects=2,
        replace_percent=0.5,
        output_batch_size=1,
        num_workers=2,
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
    starts, is_done = 1, False
    while not is_done and starts < 20:
        starts += 1
        try:
            killed_after(1, mmar, resume=True)
        except pytest.fail.Exception:
            is_done = True
    assert is_done
    assert starts >= 6
    assert_same(whole / "models", mmar / "models")
    stats = json.loads((mmar / "models/train_stats.json").read_text())
    assert len(stats["resumed"]) >= starts - 3
    assert not list((mmar / "models").glob("previous*"))
    assert not [path for path in (mmar / "models").iterdir() if path.name.startswith(".")]


def final_weights(folder: Path) -> dict[str, Any]:
    return dict(torch.load(folder / "models/final_model.pt", weights_only=True))


def test_a_finished_training_has_nothing_to_do(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    mmar = small_mmar()
    first = train(mmar)
    files = ("model.pt", "checkpoint.pt", "validation_cases.json", "configs/train.json")
    before = {name: (mmar / "models" / name).read_bytes() for name in files}
    (mmar / "models/final_model.pt").rename(mmar / "models/.final_model.pt.x1")  # as one that was killed leaves it
    again = train(mmar, resume=True)
    assert "nothing to do: the training in" in caplog.text
    assert not (mmar / "models/.final_model.pt.x1").exists()
    assert {name: (mmar / "models" / name).read_bytes() for name in files} == before
    assert again.stats == first.stats
    assert again.paths == first.paths
    assert all(torch.equal(value, again.network.state_dict()[name]) for name, value in final_weights(mmar).items())
    assert all(torch.equal(value, first.network.state_dict()[name]) for name, value in final_weights(mmar).items())


def test_without_a_checkpoint_it_starts_at_the_first_epoch(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    with caplog.at_level(logging.INFO):
        assert train(mmar, resume=True).stats["steps"] == 2
    assert "nothing to resume: there is no checkpoint.pt" in caplog.text
    assert not list((mmar / "models").glob("previous*"))


def test_more_epochs(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Adam at a constant rate: the epochs before are the same, however many follow."""
    whole, mmar = small_mmar(name="whole"), small_mmar(name="grown")
    train(whole, overrides={"epochs": 3})
    train(mmar)
    caplog.clear()
    result = train(mmar, overrides={"epochs": 3}, resume=True)
    assert "the config is another one" not in caplog.text
    assert_same(whole / "models", mmar / "models")
    assert json.loads(result.paths["bundle"].read_text())["epochs"] == 3
    assert [(one["epoch"], one["step"]) for one in result.stats["resumed"]] == [(3, 4)]
    assert "in epoch 3" in (mmar / "models/report.html").read_text()


def test_the_legacy_switch(small_mmar: Make, killed_after: Callable[..., None]) -> None:
    whole, mmar = small_mmar(name="whole"), small_mmar(lambda config: config.update(continue_from_ckpt_epoch=True))
    train(whole)
    killed_after(3, mmar)
    train(mmar)
    assert_same(whole / "models", mmar / "models")
    assert json.loads((mmar / "models/configs/train.json").read_text())["resume"] is True


def test_drawn_seeds_go_on(small_mmar: Make, killed_after: Callable[..., None]) -> None:
    """Without determinism in the config the data of the second half are those of the first half's seed."""
    mmar = small_mmar(lambda config: config.pop("determinism"))
    killed_after(3, mmar)
    seeds = torch.load(mmar / "models/checkpoint.pt", weights_only=True)["seeds"]
    result = train(mmar, resume=True)
    assert result.stats["seeds"] == seeds
    config = json.loads((mmar / "models/configs/train.json").read_text())
    assert config["seed"] == seeds["data"]
    whole = small_mmar(lambda config: config.update(determinism=_clara_seeds(seeds)), name="whole")
    train(whole)
    assert course(whole / "models") == course(mmar / "models")


def _clara_seeds(seeds: dict[str, int]) -> dict[str, int]:
    return {"numpy_seed": seeds["data"], "tf_seed": seeds["torch"], "random_seed": seeds["python"]}


def test_the_weights_it_started_from_may_be_gone(small_mmar: Make, killed_after: Callable[..., None]) -> None:
    mmar, whole = small_mmar(), small_mmar(name="whole")
    train(small_mmar(name="start"), overrides={"epochs": 1})
    start = mmar.parent / "start/models/model.pt"
    given = {"MMAR_CKPT": str(start)}
    train(whole, overrides=given)
    killed_after(1, mmar, overrides=given)
    start.unlink()
    train(mmar, overrides=given, resume=True)
    assert_same(whole / "models", mmar / "models")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"train.loss.args": {"smooth": 0.1}}, r"in loss#\w+: it goes on with the new one"),
        ({"learning_rate": 0.5}, "in learning_rate: it goes on with the new one"),
        ({"determinism": {"numpy_seed": 91}}, "the seeds are other ones than before: .*91.*, not "),
        ({"train.image_pipeline.args.output_batch_size": 4}, "an epoch had 2 steps and has 1 now"),
    ],
)
def test_another_config(
    small_mmar: Make, caplog: pytest.LogCaptureFixture, overrides: dict[str, Any], told: str
) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    train(mmar)
    result = train(mmar, overrides={"epochs": 2, **overrides}, resume=True)
    assert any(re.search(told, record.getMessage()) for record in caplog.records), caplog.text
    assert [epoch["epoch"] for epoch in result.stats["epochs"]] == [1, 2]
    if "learning_rate" in overrides:
        assert [epoch["learning_rate"] for epoch in result.stats["epochs"]] == [1e-3, 0.5]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"train.model.args.nf_enc": "8,4,4,4"}, r"another network than the config's: \S+: \(4.*in the file, \(8"),
        ({"train.optimizer": {"name": "NovoGrad"}}, "with the optimizer .*Adam.*, the config has .*NovoGrad"),
    ],
)
def test_what_cannot_go_on(small_mmar: Make, overrides: dict[str, Any], told: str) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    train(mmar)
    files = ("checkpoint.pt", "configs/train.json", "configs/metadata.json", "train_stats.json")
    before = {name: (mmar / "models" / name).read_bytes() for name in files}
    with pytest.raises(ClaraError, match=told):
        train(mmar, overrides={"epochs": 2, **overrides}, resume=True)
    assert {name: (mmar / "models" / name).read_bytes() for name in files} == before
    assert (mmar / "models/final_model.pt").exists()


def test_a_checkpoint_that_says_less_than_it_must(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    train(mmar)
    path = mmar / "models/checkpoint.pt"
    write_checkpoint({**torch.load(path, weights_only=True), "best": {"value": 1.0}}, path.parent)
    with pytest.raises(ClaraError, match=r"checkpoint.pt holds no training that can be resumed: 'name'"):
        train(mmar, overrides={"epochs": 2}, resume=True)


def test_other_scans_and_no_best_model(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    """As many scans as before, but others; and somebody has taken the best model away."""
    mmar = small_mmar(lambda config: config.update(epochs=1))
    best = train(mmar).stats["best_value"]
    environment = json.loads((mmar / "config/environment.json").read_text())
    lists = json.loads(Path(environment["DATASET_JSON"]).read_text())
    lists["training"].reverse()
    (mmar / "other.json").write_text(json.dumps(lists))
    (mmar / "models/model.pt").unlink()
    content = torch.load(mmar / "models/checkpoint.pt", weights_only=True)
    content["best"]["value"] = best + 1
    torch.save({name: value for name, value in content.items() if name != "format"}, mmar / "models/checkpoint.pt")
    caplog.clear()
    result = train(mmar, overrides={"epochs": 2, "DATASET_JSON": str(mmar / "other.json")}, resume=True)
    assert "the data list of train is another one than before" in caplog.text
    assert "the data list of validate" not in caplog.text
    assert f"{mmar / 'models/model.pt'}, the best model, of epoch 1, is gone: it is chosen anew" in caplog.text
    assert result.stats["best_epoch"] == 2
    assert "model" in result.paths


def test_a_torn_checkpoint(
    small_mmar: Make, killed_after: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    whole, mmar = small_mmar(name="whole"), small_mmar()
    train(whole)
    killed_after(4, mmar)
    path = mmar / "models/checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-3000])
    train(mmar, resume=True)
    assert f"{path} is damaged" in caplog.text
    assert_same(whole / "models", mmar / "models")
    for name in ("checkpoint.pt", "checkpoint_previous.pt"):
        (mmar / "models" / name).write_bytes(b"PK")
    with pytest.raises(ClaraError, match="cannot be resumed: .* is damaged; train anew without --resume"):
        train(mmar, resume=True)


def test_a_checkpoint_of_an_earlier_version(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    train(mmar)
    path = mmar / "models/checkpoint.pt"
    content = torch.load(path, weights_only=True)
    torch.save({name: content[name] for name in ("network", "optimizer", "trainer", "best", "events")}, path)
    result = train(mmar, overrides={"epochs": 2}, resume=True)
    assert "is of an earlier version" in caplog.text
    assert result.stats["steps"] == 4
    assert [epoch["epoch"] for epoch in result.stats["epochs"]] == [1, 2]


def test_an_early_end_stays_one(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=3, stop_threshold=0.0))
    assert train(mmar).stats["steps"] == 2
    with caplog.at_level(logging.INFO):
        assert train(mmar, resume=True).stats["steps"] == 2
    assert "nothing to do" in caplog.text


HANDLERS = """
    import numpy as np
    import torch
    from ai4med.common.train_handler import TrainHandler
    from ai4med.components.lr_policies.lr_policy import LRPolicy


    class Counts(TrainHandler):
        def __init__(self):
            TrainHandler.__init__(self)
            self.steps = 0

        def end_iteration(self, ctx):
            self.steps += 1

        def end_train(self, ctx):
            open("steps", "a").write(f"{self.steps} ")


    class Keeps(Counts):
        def state_dict(self):
            return {"steps": self.steps, "more": (np.float32(1.5), [torch.ones(2)])}

        def load_state_dict(self, state):
            self.steps = state["steps"]


    class Odd(Keeps):
        def state_dict(self):
            return {"own": self}


    class Slows(LRPolicy):
        def __init__(self):
            self.calls = 0

        def evaluate(self, ctx):
            self.calls += 1
            return ctx.initial_learning_rate / self.calls

        def state_dict(self):
            return {"calls": self.calls}

        def load_state_dict(self, state):
            self.calls = state["calls"]
"""


@pytest.fixture
def users_mmar(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make an MMAR with a handler and a policy of the user's."""

    def make(handler: str, name: str) -> Path:
        def change(config: dict[str, Any]) -> None:
            config["train"]["handlers"] = [{"path": f"mine.{handler}", "args": {}}]
            config["train"]["lr_policy"] = {"path": "mine.Slows", "args": {}}

        mmar = small_mmar(change, name=name)
        (mmar / "custom").mkdir()
        (mmar / "custom/mine.py").write_text(dedent(HANDLERS))
        monkeypatch.chdir(mmar)
        return mmar

    return make


@pytest.mark.parametrize(("handler", "steps"), [("Keeps", "4 "), ("Counts", "1 ")])
def test_users_own_state(
    users_mmar: Make, killed_after: Callable[..., None], handler: str, steps: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = users_mmar(handler, "whole")
    train(whole)
    mmar = users_mmar(handler, "mmar")
    killed_after(4, mmar)
    train(mmar, resume=True)
    assert_same(whole / "models", mmar / "models")
    assert (mmar / "steps").read_text() == steps
    is_told = "handler 1 'Counts' has no state_dict and load_state_dict: what it kept is not brought back"
    assert (is_told in caplog.text) == (handler == "Counts")


def test_a_state_that_no_checkpoint_can_hold(users_mmar: Make) -> None:
    with pytest.raises(
        ClaraError, match=r"handler 1 'Odd': state_dict\(\) returned a .*Odd, which a checkpoint cannot"
    ):
        train(users_mmar("Odd", "mmar"))


FAILS = """
    from pathlib import Path
    from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


    class Fails(MultiFieldTransformer):
        seen = 0

        def transform(self, ctx):
            self.seen += 1
            if self.seen == 7 and not Path("mended").exists():
                raise ValueError("an unreadable scan")
            return ctx

        def is_deterministic(self):
            return False
"""


def test_a_scan_that_fails_costs_no_step(
    small_mmar: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Item 7 is in the second batch of the second epoch; the policy, which counts, has not seen that step."""
    made = {}
    entry = {"path": "fails.Fails", "args": {"fields": "image"}}
    change = many(
        lambda config: config["train"]["pre_transforms"].insert(3, entry),
        train_with(lr_policy={"path": "mine.Slows", "args": {}}),
    )
    for name in ("mmar", "whole"):
        made[name] = small_mmar(change, name=name)
        (made[name] / "custom").mkdir()
        (made[name] / "custom/fails.py").write_text(dedent(FAILS))
        (made[name] / "custom/mine.py").write_text(dedent(HANDLERS))
    monkeypatch.chdir(made["mmar"])
    with caplog.at_level(logging.INFO), pytest.raises(ClaraError, match="an unreadable scan"):
        train(made["mmar"])
    assert "checkpoint.pt holds all 3 steps: go on with --resume" in caplog.text
    (made["mmar"] / "mended").touch()
    train(made["mmar"], resume=True)
    train(made["whole"])
    assert_same(made["whole"] / "models", made["mmar"] / "models")


def test_tensorboard_shows_every_step_once(small_mmar: Make, killed_after: Callable[..., None]) -> None:
    whole, mmar = small_mmar(name="whole"), small_mmar()
    for made in (whole, mmar):
        config = json.loads((made / "config/config_train.json").read_text())
        (made / "config/config_train.json").write_text(
            json.dumps({**config, "train_summary_recording_interval": 1, "epochs": 3})
        )
    train(whole)
    killed_after(7, mmar)
    content = (mmar / "models/checkpoint_previous.pt").read_bytes()
    killed_after(2, mmar, resume=True)
    (mmar / "models/checkpoint.pt").write_bytes(content)  # two steps are discarded
    train(mmar, resume=True)
    steps = []
    for made in (whole, mmar):
        events = EventAccumulator(str(made / "models")).Reload()
        steps.append([(one.step, one.value) for one in events.Scalars("train_loss")])
    assert steps[0] == steps[1]


def test_warnings_of_before_stay(small_mmar: Make, killed_after: Callable[..., None]) -> None:
    mmar = small_mmar()
    train(mmar)
    stats = json.loads((mmar / "models/train_stats.json").read_text())
    (mmar / "models/train_stats.json").write_text(json.dumps({**stats, "warnings": ["before", 3]}))
    result = train(mmar, overrides={"epochs": 3, "learning_rate": 0.1}, resume=True)
    assert result.stats["warnings"][0] == "before"
    assert "it goes on with the new one" in result.stats["warnings"][1]


def test_a_hostile_config_on_the_disk_is_only_compared(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    train(mmar)
    path = mmar / "models/configs/train.json"
    config = json.loads(path.read_text())
    mark = mmar / "ran"
    evil = f"$__import__('pathlib').Path({str(mark)!r}).touch()"
    path.write_text(json.dumps({**config, "imports": [evil], "initialize": [evil], "evil": evil}))
    train(mmar, overrides={"epochs": 2}, resume=True)
    assert not mark.exists()
    assert "evil" in caplog.text
    assert "evil" not in json.loads(path.read_text())
    path.write_text("{")
    train(mmar, overrides={"epochs": 3}, resume=True)
    assert json.loads(path.read_text())["epochs"] == 3
