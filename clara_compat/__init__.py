"""Run NVIDIA Clara Train 3.1 configurations and components on MONAI, and lead them out to a MONAI bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clara_compat.run.check import CheckReport, check
    from clara_compat.run.evaluate import EvaluateResult, evaluate
    from clara_compat.run.export import ExportResult, export
    from clara_compat.run.infer import InferResult, infer
    from clara_compat.run.migrate import MigrateResult, migrate
    from clara_compat.run.train import TrainResult, train
    from clara_compat.run.training_report import training_report

__version__ = "0.1.0"

__all__ = [
    "CheckReport",
    "EvaluateResult",
    "ExportResult",
    "InferResult",
    "MigrateResult",
    "TrainResult",
    "check",
    "evaluate",
    "export",
    "infer",
    "migrate",
    "train",
    "training_report",
]

_HOMES = {
    "CheckReport": "clara_compat.run.check",
    "EvaluateResult": "clara_compat.run.evaluate",
    "ExportResult": "clara_compat.run.export",
    "InferResult": "clara_compat.run.infer",
    "MigrateResult": "clara_compat.run.migrate",
    "TrainResult": "clara_compat.run.train",
    "check": "clara_compat.run.check",
    "evaluate": "clara_compat.run.evaluate",
    "export": "clara_compat.run.export",
    "infer": "clara_compat.run.infer",
    "migrate": "clara_compat.run.migrate",
    "train": "clara_compat.run.train",
    "training_report": "clara_compat.run.training_report",
}


def __getattr__(name: str) -> Any:
    """Import the public functions when they are first asked for; torch and MONAI take seconds to import."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clara_compat' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Name what there is, for completion."""
    return sorted({*globals(), *__all__} - {"_HOMES", "Any", "TYPE_CHECKING", "annotations"})
