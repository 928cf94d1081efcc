"""A training's validation as a config of its own: the trained network, its metrics on the validation list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clara_compat.components.entry import Entry, Expression
from clara_compat.components.model_loaders.model_loader import ModelFiles, network_entry
from clara_compat.translate.places import Places
from clara_compat.translate.render import render

__all__ = ["keeps_best", "native_validation_run", "validation_run"]

_OF_TRAINING = ("optimizer", "train", "lr_scheduler", "early_stop")
_LEFT_OUT = ("epochs", "learning_rate", "val_interval", "start_weights", "run", *_OF_TRAINING)

_METRICS = ("key_metric", "additional_metrics")
_OF_THE_BEST = "clara_compat.engine.handlers.case_records.CaseRecords"
"""Keeps the cases of a training's best validation."""

_NAMES = ("dataset", "inferer", "evaluator")
"""What MONAI's workflows for inference look for at the top of a config."""


def keeps_best(config: Mapping[str, Any]) -> bool:
    """Whether a training leaves the weights of its best validation (``model.pt``), not only those of its last epoch.

    Args:
        config: of the training, exact or in plain MONAI.
    """
    validates = any(one.get("_target_") == "ValidationHandler" for one in config["train"]["handlers"])
    return validates and "key_metric" in config.get("validate", {})


def validation_run(config: Mapping[str, Any], files: ModelFiles) -> dict[str, Any] | None:
    """Return the config that validates trained weights once, or None where the training has nothing to measure.

    Args:
        config: of the training.
        files: the weights.
    """
    if not any(name in config.get("validate", {}) for name in _METRICS):
        return None
    network = render(Places({"ckpt_dir": str(files.folder)}).placed(network_entry(files)))
    told = render(Entry("StatsHandler", iteration_log=False))  # of a training, the trainer's handlers tell the metrics
    handlers = [one for one in config["validate"]["handlers"] if one["_target_"] != _OF_THE_BEST]
    return _run({**config, "network": network}, [*handlers, told])


def native_validation_run(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config that validates the weights of a training in plain MONAI once.

    Args:
        config: of that training, with a validation.
    """
    load = {
        "_target_": "CheckpointLoader",
        "load_path": f"$@ckpt_dir + '/{'model.pt' if keeps_best(config) else 'final_model.pt'}'",
        "load_dict": {"model": "@network"},
    }
    handlers = [one for one in config["validate"]["handlers"] if not _is_of_training(one)]
    return _run(config, [load, *handlers])


def _run(config: Mapping[str, Any], handlers: list[Any]) -> dict[str, Any]:
    """Return what of a training's config validates, with other handlers."""
    return {
        **{name: value for name, value in config.items() if name not in _LEFT_OUT},
        "validate": {**config["validate"], "handlers": handlers},
        **{name: render(Expression(f"@validate#{name}")) for name in _NAMES},
        "run": [render(Expression("$@validate#evaluator.run()"))],
        "finalize": list(config["finalize"]),
    }


def _is_of_training(handler: Any) -> bool:
    """Whether a handler of the validation saves, or changes the training."""
    text = json.dumps(handler)
    return "CheckpointSaver" in text or any(f"@{name}" in text for name in _OF_TRAINING)
