"""Handlers of the engines: those of MONAI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clara_compat.translate.native.lr_policies import KEY_METRIC, POLICIES, native_policy
from clara_compat.translate.native.native_config import Notes, target_of, users_path
from clara_compat.translate.native.validation import Validation

__all__ = ["HANDLERS", "Handlers", "native_handlers"]

_HANDLERS = "clara_compat.engine.handlers"
EVENTS = f"{_HANDLERS}.train_events.TrainEvents"
EARLY_STOP = f"{_HANDLERS}.early_stop.EarlyStop"
TENSORBOARD = f"{_HANDLERS}.tensorboard.TensorBoardScalars"
NAMED = f"{_HANDLERS}.named.NamedHandlers"
OPERATIONS = "clara_compat.engine.aux_ops.AuxiliaryOutputs"

HANDLERS: dict[str, tuple[str, str]] = {
    "clara_compat.engine.distributed.training.TrainTogether": (
        "",
        "One process trains; for several the network must be put into DistributedDataParallel, as MONAI's guide tells.",
    ),
    f"{_HANDLERS}.loss_watch.LossWatch": ("", "A loss that is no number does not end the training."),
    "clara_compat.engine.acceleration.handler.Acceleration": (
        "",
        "A training computes in float32 throughout: MONAI's trainer has amp=True for CUDA.",
    ),
    f"{_HANDLERS}.step_facts.StepFacts": ("", ""),
    f"{_HANDLERS}.release.ReleaseOutput": ("", ""),
    f"{_HANDLERS}.checkpoints.Checkpoints": (
        "CheckpointSaver",
        "model.pt and final_model.pt are written as before; there is no checkpoint.pt to go on from.",
    ),
    f"{_HANDLERS}.statistics.TrainStatistics": (
        "StatsHandler",
        "The log has the values: there is no train_stats.json.",
    ),
    f"{_HANDLERS}.skip_report.ShortValidation": ("", ""),
    f"{_HANDLERS}.skip_report.SkipReport": ("", "A scan that cannot be made ends the training."),
    f"{_HANDLERS}.progress.Progress": ("StatsHandler", "Lines of the log are in the place of the progress bar."),
    f"{_HANDLERS}.training_mode.KeepStatistics": (
        "",
        "Validations in training mode change the statistics of batch normalisation.",
    ),
    f"{_HANDLERS}.case_records.CaseRecords": (
        "",
        "There is no validation_cases.json, of which clara-compat report makes its tables and pictures of cases.",
    ),
    f"{_HANDLERS}.cache_updates.CacheUpdates": ("SmartCacheHandler", ""),
    TENSORBOARD: ("TensorBoardStatsHandler", "The tags are MONAI's; the learning rate is not among them."),
}
"""For each handler what takes its place, and what differs."""

_LOSS = "$lambda output: output['loss'].item()"


@dataclass
class Handlers:
    """The handlers of both engines.

    Args:
        train: of the trainer.
        validate: of the evaluator.
        entries: further entries of the config that they refer to.
        run: what is done before the training starts.
    """

    train: list[Any] = field(default_factory=list)
    validate: list[Any] = field(default_factory=list)
    entries: dict[str, Any] = field(default_factory=dict)
    run: list[str] = field(default_factory=list)


def native_handlers(
    config: Mapping[str, Any], validation: Validation | None, data: Sequence[dict[str, Any]], notes: Notes
) -> Handlers:
    """Return the handlers of a training.

    Args:
        config: the exact config.
        validation: what the validation computes; None without one.
        data: handlers that the data side of the training needs.
        notes: takes what changes.
    """
    train, found = config["train"], Handlers()
    handlers = dict(_placed(train))
    validated = next((dict(one) for one in handlers.values() if target_of(one) == "ValidationHandler"), None)
    keyed = validation is not None and bool(validation.key) and validated is not None
    for number, handler in enumerate(train["handlers"]):
        if target_of(handler) == NAMED:
            notes.add(f"train#handlers#{number}", handler)
    for place, handler in handlers.items():
        _note(place, handler, notes)
    for number, handler in enumerate(config.get("validate", {}).get("handlers", [])):
        _note(f"validate#handlers#{number}", handler, notes)
    found.train += [] if validated is None else [validated]
    found.train += data
    found.train.append(_saver(save_final=True, final_filename="final_model.pt"))
    found.train.append({"_target_": "StatsHandler", "tag_name": "train_loss", "output_transform": _LOSS})
    found.train.append(_tensorboard(tag_name="train_loss", output_transform=_LOSS, **_interval(train["tensorboard"])))
    if "validate" in config:
        found.validate.append({"_target_": "StatsHandler", "iteration_log": False})
        found.validate.append(_tensorboard(iteration_log=False))
        if keyed:
            found.validate.append(_saver(save_key_metric=True, key_metric_filename="model.pt"))
    if "events" in train:
        _events(train["events"], keyed, found, notes)
    return found


def _placed(train: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the handlers of the training by their ids, also those that have entries of their own."""
    for number, handler in enumerate(train["handlers"]):
        if target_of(handler) == NAMED:
            for reference in handler["handlers"]:
                name = reference.removeprefix("@train#")
                yield f"train#{name}", train[name]
        else:
            yield f"train#handlers#{number}", handler


def _note(place: str, handler: Any, notes: Notes) -> None:
    target = target_of(handler)
    if target == OPERATIONS:
        notes.add(place, handler)
        text = "Values of auxiliary operations are not computed in training."
        for number, operation in enumerate(handler["ops"] if place.startswith("train#") else []):
            notes.add(f"{place}#ops#{number}", operation, "", text)
    elif target == EVENTS:
        notes.add(place, handler)
    elif target in HANDLERS:
        now, text = HANDLERS[target]
        notes.add(place, handler, now, text)


def _saver(**more: Any) -> dict[str, Any]:
    folder = {"save_dir": "@ckpt_dir", "save_dict": {"model": "@network"}}
    return {"_target_": "CheckpointSaver", **folder, **more}


def _tensorboard(**more: Any) -> dict[str, Any]:
    return {"_target_": "TensorBoardStatsHandler", "log_dir": "@ckpt_dir", **more}


def _interval(exact: Mapping[str, Any]) -> dict[str, Any]:
    """Return how often the loss of a step is written; 0 leaves it to the end of the epoch, which MONAI has not."""
    return {"iteration_log": exact["interval"]} if exact["interval"] > 1 else {}


def _events(events: Mapping[str, Any], keyed: bool, found: Handlers, notes: Notes) -> None:
    """Add the learning rate policy and what may end the training early."""
    place, policy = "train#events", events.get("policy")
    if policy is not None:
        _policy(policy, keyed, found, notes)
    for number, handler in enumerate(events.get("handlers", [])):
        own = users_path(handler)
        at = f"{place}#handlers#{number}"
        if own is not None:
            notes.add(
                at, handler, "", f"{own[0]} needs Clara and is left out: port it to a handler of Ignite or MONAI."
            )
        elif target_of(handler) == EARLY_STOP and keyed:
            stop = {"_target_": "EarlyStopHandler", "patience": handler["patience"], "score_function": KEY_METRIC}
            found.entries["early_stop"] = stop
            found.validate.append("@early_stop")
            found.run.append("$@early_stop.set_trainer(trainer=@train#trainer)")
            notes.add(at, handler, stop)
        else:
            notes.add(at, handler, "", "It has no effect and is left out: no key metric is computed.")
    threshold = events.get("stop_threshold")
    if threshold is not None and keyed:
        notes.need("import ignite")
        reached = f"engine.state.metrics[engine.state.key_metric_name] >= {threshold!r}"
        ends = f"lambda engine: @train#trainer.terminate() if {reached} else None"
        found.run.append(f"$@validate#evaluator.add_event_handler(ignite.engine.Events.COMPLETED, {ends})")
        notes.add(f"{place}#stop_threshold", "stop_threshold", "ignite.engine.Engine.terminate")
    elif threshold is not None:
        notes.add(f"{place}#stop_threshold", "stop_threshold", "", "It has no effect: no key metric is computed.")


def _policy(policy: Mapping[str, Any], keyed: bool, found: Handlers, notes: Notes) -> None:
    place, own = "train#events#policy", users_path(policy)
    if own is not None:
        text = f"{own[0]} needs Clara and is left out: the learning rate does not change: port it to a scheduler."
        notes.add(place, policy, "", text)
        return
    scheduler, native, evaluates = native_policy(policy) if target_of(policy) in POLICIES else (None, None, False)
    if scheduler is None or native is None or (evaluates and not keyed):
        notes.add(place, policy, "", "It has no effect and is left out: no key metric is computed.")
        return
    found.entries["lr_scheduler"] = scheduler
    (found.validate if evaluates else found.train).extend(native.entries)
    notes.need(*native.imports)
    notes.add(place, policy, scheduler, native.difference)
