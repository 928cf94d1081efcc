"""Where the values at the top of a legacy config are in the bundle config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from clara_compat.common.files import readable_json
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import Address
from clara_compat.report.migration import EntryText, SettingReport
from clara_compat.run.migration_entries import MISSING, entry_at
from clara_compat.translate.bundle import Bundle

__all__ = ["setting_reports"]

ENVIRONMENT = "environment or default"
"""Stands for the file of a value that the config does not set: the environment file, or a default."""


@dataclass(frozen=True)
class _Now:
    """Where a value is now.

    Args:
        entries: ids; those that a config has count.
        note: what is to be said of a value that is set, or ``on`` (not false).
        off: what is to be said where it is off.
    """

    entries: tuple[str, ...] = ()
    note: str = ""
    off: str = ""


_SEVERAL = _Now(
    ("initialize#0",), "several processes, where torchrun, mpirun or srun starts them", "one device is used"
)
_AMP = "autocast in bfloat16, which needs no scaling of the loss"
_WEIGHTS = "the network starts from this file, where it is there"
_SETTINGS: Mapping[str, _Now] = {
    "epochs": _Now(("epochs",)),
    "learning_rate": _Now(("learning_rate",)),
    "num_training_epoch_per_valid": _Now(("val_interval",)),
    "validate_at_end": _Now(("val_interval",)),
    "multi_gpu": _SEVERAL,
    "use_amp": _Now(("train#inferer", "validate#inferer", "inferer"), _AMP, "float32 everywhere"),
    "use_tf32": _Now(("initialize",), "argument tf32 of seed_run", "argument tf32 of seed_run"),
    "use_xla": _Now(note="ignored: it has no counterpart", off="off here, too"),
    "dynamic_input_shape": _Now(note="not needed: the network takes scans of any size", off="not needed"),
    "train_summary_recording_interval": _Now(("train#tensorboard#interval",)),
    "determinism": _Now(("seed", "initialize"), "seeds of the data side, of torch, numpy and Python"),
    "stop_threshold": _Now(("train#events#stop_threshold",)),
    "continue_from_ckpt_epoch": _Now(("resume",), "a training goes on from the checkpoint.pt in ckpt_dir, if any"),
    "infer_in_training_mode": _Now(("validate#evaluator#mode", "step#training_mode")),
    "cache_gb": _Now(("cache_budget",)),
    "on_bad_item": _Now(
        ("train#dataset#on_bad_item", "dataset#on_bad_item"), off="an item that cannot be made ends the run"
    ),
    "accelerate": _Now(("accelerate",), "off under determinism"),
    "batch_size": _Now(("dataloader#batch_size",)),
    "use_scanning_window": _Now(note="the inferer decides", off="the inferer decides"),
    "do_validation": _Now(("metrics",), "", "the results are not compared with labels"),
    "output_infer_result": _Now(("writers",), "", "no results are written"),
    "overwrite_previous_result": _Now(("dataset#reuse",), "every case is evaluated", "finished cases are taken over"),
    "DATA_LIST_KEY": _Now(("data#data_list_key",)),
}
_VARIABLES: Mapping[str, _Now] = {
    "DATA_ROOT": _Now(("DATA_ROOT", "train#data#base_dir", "validate#data#base_dir", "data#base_dir")),
    "DATASET_JSON": _Now(
        (
            "DATASET_JSON",
            "train#data#data_list_file_path",
            "validate#data#data_list_file_path",
            "data#data_list_file_path",
        )
    ),
    "MMAR_CKPT_DIR": _Now(("ckpt_dir",)),
    "MMAR_EVAL_OUTPUT_PATH": _Now(("output_dir",)),
    "MMAR_CKPT": _Now(("network",), _WEIGHTS),
    "PRETRAIN_WEIGHTS_FILE": _Now(("network",), _WEIGHTS),
}
_DEFAULTED = {"MMAR_CKPT_DIR": EvaluateWorkflow, "MMAR_EVAL_OUTPUT_PATH": TrainWorkflow}
"""Variables that always have a value, with the workflow that does not use them."""


def setting_reports(workflow: TrainWorkflow | EvaluateWorkflow, bundle: Bundle | None) -> Iterator[SettingReport]:
    """Yield the settings and variables that are set, in the order of the documentation."""
    settings: BaseModel = workflow.settings
    for name, now in _SETTINGS.items():
        if name in settings.model_fields_set:
            value = getattr(settings, name)
            plain = value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
            yield _report(workflow, bundle, name, plain, now)
    for name, now in _VARIABLES.items():
        value = workflow.variables.get(name)
        if value not in (None, "") and not isinstance(workflow, _DEFAULTED.get(name, ())):
            yield _report(workflow, bundle, name, value, now)


def _report(
    workflow: TrainWorkflow | EvaluateWorkflow, bundle: Bundle | None, name: str, value: Any, now: _Now
) -> SettingReport:
    is_off = value is False or value in ("off", "stop")
    found = [] if bundle is None else [(one, entry_at(bundle.config, one)) for one in now.entries]
    entries = [EntryText(one, readable_json(entry)) for one, entry in found if entry is not MISSING]
    if is_off and now.off:
        entries = []
    if entries and entries[0].id == name:  # a variable that stayed one; what it is used in follows from it
        entries = entries[:1]
    note = now.off if is_off else now.note
    return SettingReport(name, _address(workflow, name), readable_json(value), tuple(entries), note)


def _address(workflow: TrainWorkflow | EvaluateWorkflow, name: str) -> Address:
    """Return where a value was set; one that is not in the config comes from the environment file or is a default."""
    document = workflow.document
    if (name,) in document.overridden or document.written(name):
        return document.address(name)
    return Address(ENVIRONMENT, None, name)
