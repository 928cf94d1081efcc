"""Every legacy path reaches the object it stands for."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import ai4med
from clara_compat.components.catalogue import components, legacy_path

MODULES = sorted(info.name for info in pkgutil.walk_packages(ai4med.__path__, "ai4med."))
LEAVES = [
    (name, Path(spec.origin))
    for name in MODULES
    if (spec := importlib.util.find_spec(name)) and Path(spec.origin).name != "__init__.py"
]

# legacy module: (our module, names)
ALIASES = {
    "ai4med.common.medical_image": ("common.medical_image", "MedicalImage"),
    "ai4med.common.shape_format": ("common.shape_format", "ShapeFormat StdShapeFormat"),
    "ai4med.common.transform_ctx": ("common.transform_ctx", "TransformContext"),
    "ai4med.common.build_ctx": ("common.build_ctx", "BuildContext"),
    "ai4med.common.graph_component": ("common.graph_component", "GraphComponent"),
    "ai4med.common.constants": ("common.constants", "ActivationFunc DataElementKey ImageProperty"),
    "ai4med.common.data_format": ("common.data_format", "DataFormat"),
    "ai4med.common.data_prop": ("common.data_prop", "DataProperty"),
    "ai4med.common.label_format": ("common.label_format", "LabelFormat"),
    "ai4med.common.train_ctx": ("common.train_ctx", "TrainContext"),
    "ai4med.common.train_handler": ("common.train_handler", "TrainHandler"),
    "ai4med.utils.dtype_utils": ("common.dtype_utils", "str_to_dtype"),
    "ai4med.components.transforms.transformer": ("components.transforms.transformer", "Transformer"),
    "ai4med.components.transforms.multi_field_transformer": (
        "components.transforms.multi_field_transformer",
        "MultiFieldTransformer",
    ),
    "ai4med.components.losses.loss": ("components.losses.loss", "Loss"),
    "ai4med.components.models.model": ("components.models.model", "Model"),
    "ai4med.components.metric": ("components.metrics.metric", "Metric"),
    "ai4med.components.metrics.metric": ("components.metrics.metric", "Metric"),
    "ai4med.libs.metrics.metric_list": ("components.metrics.metric_list", "MetricList"),
    "ai4med.libs.metrics.metric_average": ("components.metrics.metric_average", "MetricAverage"),
    "ai4med.libs.metrics.avg": ("components.metrics.metric_average", "MetricAverage"),
    "ai4med.components.optimizers.optimizer": ("components.optimizers.optimizer", "Optimizer"),
    "ai4med.components.lr_policies.lr_policy": ("components.lr_policies.lr_policy", "LRPolicy"),
    "ai4med.components.aux_ops.aux_op": ("components.aux_ops.aux_op", "AuxiliaryOperation"),
    "ai4med.components.inferers.inferer": ("components.inferers.inferer", "Inferer"),
    "ai4med.components.eval_writers.eval_writer": ("components.writers.eval_writer", "EvalWriter"),
}


@pytest.mark.parametrize(("legacy", "ours", "name"), [(k, m, n) for k, (m, ns) in ALIASES.items() for n in ns.split()])
def test_legacy_path_is_the_same_object(legacy, ours, name):
    here = importlib.import_module(f"clara_compat.{ours}")
    assert getattr(importlib.import_module(legacy), name) is getattr(here, name)


def test_every_component_is_reachable_by_its_legacy_path():
    found = components()
    assert found, "the catalogue is empty"
    for cls in found.values():
        module, _, name = legacy_path(cls).rpartition(".")
        assert getattr(importlib.import_module(module), name) is cls


@pytest.mark.parametrize(
    ("documented", "name"),
    [
        ("ai4med.components.metrics.avg", "ComputeAverage"),
        ("ai4med.components.metrics.avg_from_array_dice", "ComputeAverageDice"),
    ],
)
def test_modules_the_api_page_names_otherwise(documented, name):
    assert getattr(importlib.import_module(documented), name) is components()[name]


@pytest.mark.parametrize(("name", "file"), LEAVES)
def test_shims_are_aliases_only(name, file):
    documentation, *imports = ast.parse(file.read_text(encoding="utf-8")).body
    assert isinstance(documentation, ast.Expr)
    assert imports
    for statement in imports:
        assert isinstance(statement, ast.ImportFrom)
        assert statement.module.startswith("clara_compat.")
        assert all(alias.asname == alias.name for alias in statement.names)


@pytest.mark.parametrize("name", [name for name in MODULES if name not in dict(LEAVES)])
def test_packages_are_empty(name):
    tree = ast.parse(Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8"))
    assert all(isinstance(statement, ast.Expr) for statement in tree.body)


def test_imports_of_user_code_load_neither_torch_nor_monai():
    imports = ";".join(f"import {module}" for module in ALIASES)
    code = f"import sys;{imports};print([n for n in ('torch', 'monai', 'ignite', 'pydantic') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_base_of_the_contexts_has_its_legacy_path() -> None:
    from ai4med.common.build_ctx import BuildContext
    from ai4med.common.transform_ctx import TransformContext
    from dlmed.common.ctx import BaseContext

    assert issubclass(BuildContext, BaseContext)
    assert issubclass(TransformContext, BaseContext)
