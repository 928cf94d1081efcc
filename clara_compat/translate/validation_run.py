"""A training's validation as a config of its own: the trained network, its metrics on the validation list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.components.entry import Entry, Expression
from clara_compat.components.model_loaders.model_loader import ModelFiles, network_entry
from clara_compat.translate.places import Places
from clara_compat.translate.render import render

__all__ = ["validation_run"]

_LEFT_OUT = ("epochs", "learning_rate", "val_interval", "optimizer", "train", "run")

_NAMES = ("dataset", "inferer", "evaluator")
"""What MONAI's workflows for inference look for at the top of a config."""


def validation_run(config: Mapping[str, Any], files: ModelFiles) -> dict[str, Any] | None:
    """Return the config that validates trained weights once, or None where the training has no validation.

    Args:
        config: of the training.
        files: the weights.
    """
    if "validate" not in config:
        return None
    network = Places({"ckpt_dir": str(files.folder)}).placed(network_entry(files))
    kept = {name: value for name, value in config.items() if name not in _LEFT_OUT}
    told = render(Entry("StatsHandler", iteration_log=False))  # of a training, the trainer's handlers tell the metrics
    return {
        **kept,
        "network": render(network),
        "validate": {**config["validate"], "handlers": [*config["validate"]["handlers"], told]},
        **{name: render(Expression(f"@validate#{name}")) for name in _NAMES},
        "run": [render(Expression("$@validate#evaluator.run()"))],
        "finalize": list(config["finalize"]),
    }
