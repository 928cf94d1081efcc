"""The bundle config of a training in plain MONAI."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from clara_compat.translate.native.data import native_data
from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.handlers import OPERATIONS, Handlers, native_handlers
from clara_compat.translate.native.inferers import native_inferer
from clara_compat.translate.native.initialize import native_finalize, native_initialize
from clara_compat.translate.native.model import native_model
from clara_compat.translate.native.native_config import NativeConfig, Notes, target_of
from clara_compat.translate.native.validation import Validation, native_validation
from clara_compat.translate.native.variables import variables

__all__ = ["native_train"]

_START = (
    "$monai.networks.copy_model_state(@network, (lambda state: state.get('network', state))"
    "(torch.load(@start_weights, map_location=@device, weights_only=True)))"
)
"""Takes over the weights whose names and shapes agree: MONAI's CheckpointLoader without ``strict_shape`` takes none."""


def native_train(config: Mapping[str, Any], *, portable: Collection[str] = ()) -> NativeConfig:
    """Return the config that trains as another does, as nearly as MONAI and torch can.

    The network gives logits: the loss, and the postprocessing of the validation, apply the activation.

    Args:
        config: of a training, as :func:`~clara_compat.translate.train.translate_train` makes it; it is not changed.
        portable: paths of the user's torch modules whose files need nothing of Clara: they become ``scripts.<path>``.

    Raises:
        ClaraError: a transform has no counterpart.
    """
    notes = Notes()
    model = native_model(config, portable, notes)
    facts = model.facts
    data = native_data(config["train"], "train", notes, facts)
    validation = _validation(config, facts, notes)
    handlers = native_handlers(config, validation, data.handlers, notes)
    found = {
        **variables(config),
        **model.entries,
        **handlers.entries,
        **({} if model.start_weights is None else {"start_weights": model.start_weights}),
        "train": {**data.entries, **_train(config["train"], handlers, notes)},
    }
    if validation is not None:
        entries = native_data(config["validate"], "validate", notes, facts).entries
        found["validate"] = {**entries, **_validate(config["validate"], validation, handlers, notes)}
    notes.add("cache_budget", config["cache_budget"])
    found["initialize"] = native_initialize(config, notes)
    found["run"] = [*([] if model.start_weights is None else [_START]), *handlers.run, *config["run"]]
    found["finalize"] = native_finalize(config, notes)
    imports = {"imports": [f"${statement}" for statement in notes.imports]} if notes.imports else {}
    return NativeConfig({**imports, **found}, notes.differences, model.weights)


def _validation(config: Mapping[str, Any], facts: Facts, notes: Notes) -> Validation | None:
    if "validate" not in config:
        return None
    operations = {
        f"validate#handlers#{number}#ops#{place}": operation
        for number, handler in enumerate(config["validate"]["handlers"])
        if target_of(handler) == OPERATIONS
        for place, operation in enumerate(handler["ops"])
    }
    return native_validation(config["validate"], operations, notes, facts)


def _train(section: Mapping[str, Any], handlers: Handlers, notes: Notes) -> dict[str, Any]:
    """Return what of the training's section is not its data side."""
    inferer, amp = native_inferer(section["inferer"], "train#inferer", notes)
    trainer = section["trainer"]
    engine = {
        "_target_": "SupervisedTrainer",
        **{name: trainer[name] for name in ("device", "max_epochs", "train_data_loader", "network", "optimizer")},
        "loss_function": "@loss",
        "inferer": "@train#inferer",
        "train_handlers": "@train#handlers",
        "decollate": False,
        **({"amp": True} if amp else {}),
    }
    return {"inferer": inferer, "handlers": handlers.train, "trainer": engine}


def _validate(section: Mapping[str, Any], validation: Validation, handlers: Handlers, notes: Notes) -> dict[str, Any]:
    """Return what of the validation's section is not its data side."""
    inferer, amp = native_inferer(section["inferer"], "validate#inferer", notes)
    evaluator = section["evaluator"]
    engine: dict[str, Any] = {
        "_target_": "SupervisedEvaluator",
        **{name: evaluator[name] for name in ("device", "val_data_loader", "network")},
        "inferer": "@validate#inferer",
    }
    found: dict[str, Any] = {"inferer": inferer}
    if validation.postprocessing:
        found["postprocessing"] = {"_target_": "Compose", "transforms": validation.postprocessing}
        engine["postprocessing"] = "@validate#postprocessing"
    for name, argument, metrics in (
        ("key_metric", "key_val_metric", validation.key),
        ("additional_metrics", "additional_metrics", validation.others),
    ):
        if metrics and validation.key:
            found[name] = metrics
            engine[argument] = f"@validate#{name}"
    engine["val_handlers"] = "@validate#handlers"
    engine |= {**({"mode": "train"} if evaluator["mode"] == "train" else {}), **({"amp": True} if amp else {})}
    return {**found, "handlers": handlers.validate, "evaluator": engine}
