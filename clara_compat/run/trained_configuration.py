"""What was trained, told from the bundle config that ran; the config is read, never run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from clara_compat.report.training.data import Configuration, Part
from clara_compat.run.strangers_json import mapping, records, text, whole

__all__ = ["configuration_of"]

_MOST_TEXT, _MOST_STEPS, _LONGEST_STEP = 20_000, 100, 600


def configuration_of(bundle: Mapping[str, Any], stats: Mapping[str, Any]) -> Configuration:
    """Return what a page says of the configuration.

    Args:
        bundle: content of ``configs/train.json``, empty when there is none.
        stats: content of ``train_stats.json``, the same.
    """
    return Configuration(_facts(bundle, stats), _parts(bundle))


def _facts(bundle: Mapping[str, Any], stats: Mapping[str, Any]) -> list[tuple[str, str]]:
    train, validate = mapping(bundle.get("train")), mapping(bundle.get("validate"))
    items, versions = mapping(stats.get("items")), mapping(stats.get("versions"))
    seeds = mapping(stats.get("seeds"))
    facts = [
        ("legacy config", text(stats.get("config"))),
        ("started", text(stats.get("started")).replace("T", " ").replace("+00:00", " UTC")),
        ("resumed", _resumed(stats.get("resumed"))),
        ("data list", _file(mapping(train.get("data")).get("data_list_file_path"), bundle)),
        ("training items", _items(train, items.get("train"))),
        ("validation items", _items(validate, items.get("validate"))),
        ("steps per epoch", _count(stats.get("steps_per_epoch"))),
        ("learning rate", _short(bundle.get("learning_rate"))),
        ("epochs between validations", _short(bundle.get("val_interval"))),
        ("seeds", ", ".join(f"{text(name)} {_short(seed)}" for name, seed in list(seeds.items())[:8])),
        ("deterministic", {"True": "yes", "False": "no"}.get(str(stats.get("determinism")), "")),
        ("device", text(stats.get("device"))),
        ("processes", _count(stats.get("processes"))),
        ("threads", _count(stats.get("threads"))),
        ("acceleration", text(mapping(stats.get("accelerate")).get("told"))),
        ("versions", ", ".join(f"{text(name)} {text(of)}" for name, of in list(versions.items())[:12])),
    ]
    return [(name, value) for name, value in facts if value]


def _resumed(value: Any) -> str:
    """Return where a training went on after interruptions."""
    found = [f"in epoch {_count(one.get('epoch'))}" for one in records(value)]
    return ", ".join(found[:8]) + (f" and {len(found) - 8} times more" if len(found) > 8 else "")


def _items(section: Mapping[str, Any], count: Any) -> str:
    batch = _count(mapping(section.get("dataloader")).get("batch_size"))
    key = text(mapping(section.get("data")).get("data_list_key"))
    parts = [_count(count), f"list '{key}'" if key else "", f"{batch} per batch" if batch else ""]
    return ", ".join(part for part in parts if part)


def _parts(bundle: Mapping[str, Any]) -> list[Part]:
    train, validate = mapping(bundle.get("train")), mapping(bundle.get("validate"))
    evaluator = mapping(validate.get("evaluator"))
    parts = [
        _part("Network", bundle.get("network_def")),
        _part("Loss", bundle.get("loss_def", bundle.get("loss"))),
        _part("Optimizer", bundle.get("optimizer")),
        _part("Learning rate policy and handlers", train.get("events")),
        _chain("Transforms of training", train.get("preprocessing")),
        _chain("Transforms of a batch", train.get("batch_transform")),
        _chain("Transforms of validation", validate.get("preprocessing")),
        _part("Inference of validation", validate.get("inferer")),
        _part("Metrics of validation", _metrics(evaluator)),
    ]
    return [part for part in parts if part is not None]


def _metrics(evaluator: Mapping[str, Any]) -> dict[str, Any] | None:
    found = {name: evaluator.get(name) for name in ("key_val_metric", "additional_metrics") if evaluator.get(name)}
    return found or None


def _part(title: str, entry: Any) -> Part | None:
    if entry is None:
        return None
    return Part(title, _name(entry), _json(entry, _MOST_TEXT, indent=2))


def _chain(title: str, entry: Any) -> Part | None:
    steps = records(mapping(entry).get("transforms"))
    if not steps:
        return None
    shown = [(_name(one), _arguments(one)) for one in steps[:_MOST_STEPS]]
    if len(steps) > _MOST_STEPS:
        shown.append((f"and {len(steps) - _MOST_STEPS} more", ""))
    return Part(title, f"{len(steps)}", steps=shown)


def _name(entry: Any) -> str:
    """Return what an entry is in a word: its class; of user code the path, of what Clara called otherwise that, too."""
    found = mapping(entry)
    target = text(found.get("_target_")).rpartition(".")[2]
    inner = next((one for one in found.values() if mapping(one).get("path") and mapping(one).get("_target_")), None)
    own = text(mapping(inner).get("path")) or (text(found.get("path")) if target == "component" else "")
    described = text(found.get("_desc_"))
    return (f"{own} (your own)" if own else target) + (f" ({described})" if described else "")


def _arguments(entry: Mapping[str, Any]) -> str:
    told = {name: value for name, value in entry.items() if name not in ("_target_", "_desc_")}
    return _json(told, _LONGEST_STEP) if told else ""


def _json(value: Any, most: int, indent: int | None = None) -> str:
    try:
        found = json.dumps(value, indent=indent, ensure_ascii=False)
    except RecursionError:
        return "nested too deeply to be shown"
    return found if len(found) <= most else f"{found[:most]} …"


def _short(value: Any) -> str:
    return text(value) or ("" if value is None else _json(value, 60))


def _count(value: Any) -> str:
    found = whole(value)
    return "" if found is None else str(found)


def _file(value: Any, bundle: Mapping[str, Any]) -> str:
    """Return the name of a file; the path may stand in an entry at the top of the config."""
    path = text(value)
    return PurePath(text(bundle.get(path[1:])) if path.startswith("@") else path).name
