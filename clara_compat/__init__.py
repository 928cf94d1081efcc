"""Run NVIDIA Clara Train 3.1 configurations and components on MONAI, and lead them out to a MONAI bundle.

Functions are what the commands do, with their results. Classes without ``Result`` or ``Report`` in their names are what
users' own components derive from or are given, the very classes that old code imports from ``ai4med``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clara_compat.common.build_ctx import BuildContext
    from clara_compat.common.constants import ImageProperty
    from clara_compat.common.medical_image import MedicalImage
    from clara_compat.common.shape_format import ShapeFormat
    from clara_compat.common.train_ctx import TrainContext
    from clara_compat.common.train_handler import TrainHandler
    from clara_compat.common.transform_ctx import TransformContext
    from clara_compat.components.aux_ops.aux_op import AuxiliaryOperation
    from clara_compat.components.losses.loss import Loss
    from clara_compat.components.lr_policies.lr_policy import LRPolicy
    from clara_compat.components.metrics.metric import Metric
    from clara_compat.components.metrics.metric_list import MetricList
    from clara_compat.components.models.model import Model
    from clara_compat.components.optimizers.optimizer import Optimizer
    from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
    from clara_compat.components.transforms.transformer import Transformer
    from clara_compat.components.writers.eval_writer import EvalWriter
    from clara_compat.engine.legacy.transform import as_monai_transform
    from clara_compat.run.check import CheckReport, check
    from clara_compat.run.evaluate import EvaluateResult, evaluate
    from clara_compat.run.export import ExportResult, export
    from clara_compat.run.infer import InferResult, infer
    from clara_compat.run.migrate import MigrateResult, migrate
    from clara_compat.run.preview import PreviewResult, preview
    from clara_compat.run.train import TrainResult, train
    from clara_compat.run.training_report import training_report

__version__ = "0.1.0"

__all__ = [
    "AuxiliaryOperation",
    "BuildContext",
    "CheckReport",
    "EvalWriter",
    "EvaluateResult",
    "ExportResult",
    "ImageProperty",
    "InferResult",
    "LRPolicy",
    "Loss",
    "MedicalImage",
    "Metric",
    "MetricList",
    "MigrateResult",
    "Model",
    "MultiFieldTransformer",
    "Optimizer",
    "PreviewResult",
    "ShapeFormat",
    "TrainContext",
    "TrainHandler",
    "TrainResult",
    "TransformContext",
    "Transformer",
    "as_monai_transform",
    "check",
    "evaluate",
    "export",
    "infer",
    "migrate",
    "preview",
    "train",
    "training_report",
]

_HOMES = {
    "AuxiliaryOperation": "clara_compat.components.aux_ops.aux_op",
    "BuildContext": "clara_compat.common.build_ctx",
    "CheckReport": "clara_compat.run.check",
    "EvalWriter": "clara_compat.components.writers.eval_writer",
    "EvaluateResult": "clara_compat.run.evaluate",
    "ExportResult": "clara_compat.run.export",
    "ImageProperty": "clara_compat.common.constants",
    "InferResult": "clara_compat.run.infer",
    "LRPolicy": "clara_compat.components.lr_policies.lr_policy",
    "Loss": "clara_compat.components.losses.loss",
    "MedicalImage": "clara_compat.common.medical_image",
    "Metric": "clara_compat.components.metrics.metric",
    "MetricList": "clara_compat.components.metrics.metric_list",
    "MigrateResult": "clara_compat.run.migrate",
    "Model": "clara_compat.components.models.model",
    "MultiFieldTransformer": "clara_compat.components.transforms.multi_field_transformer",
    "Optimizer": "clara_compat.components.optimizers.optimizer",
    "PreviewResult": "clara_compat.run.preview",
    "ShapeFormat": "clara_compat.common.shape_format",
    "TrainContext": "clara_compat.common.train_ctx",
    "TrainHandler": "clara_compat.common.train_handler",
    "TrainResult": "clara_compat.run.train",
    "TransformContext": "clara_compat.common.transform_ctx",
    "Transformer": "clara_compat.components.transforms.transformer",
    "as_monai_transform": "clara_compat.engine.legacy.transform",
    "check": "clara_compat.run.check",
    "evaluate": "clara_compat.run.evaluate",
    "export": "clara_compat.run.export",
    "infer": "clara_compat.run.infer",
    "migrate": "clara_compat.run.migrate",
    "preview": "clara_compat.run.preview",
    "train": "clara_compat.run.train",
    "training_report": "clara_compat.run.training_report",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for; torch and MONAI take seconds to import."""
    if name not in _HOMES:
        raise AttributeError(f"module 'clara_compat' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Name what there is, for completion."""
    return sorted({*globals(), *__all__} - {"_HOMES", "Any", "TYPE_CHECKING", "annotations"})
