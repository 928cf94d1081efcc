"""What ``import clara_compat`` offers: each name is the class or function it says, and is imported when it is used."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import clara_compat
from clara_compat.config.user_code import find_user_class
from clara_compat.config.user_roots import UserRoots

FUNCTIONS = {
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
RESULTS = {
    "CheckReport": "clara_compat.run.check",
    "EvaluateResult": "clara_compat.run.evaluate",
    "ExportResult": "clara_compat.run.export",
    "InferResult": "clara_compat.run.infer",
    "MigrateResult": "clara_compat.run.migrate",
    "PreviewResult": "clara_compat.run.preview",
    "TrainResult": "clara_compat.run.train",
}
DATA = {
    "BuildContext": "ai4med.common.build_ctx",
    "ImageProperty": "ai4med.common.constants",
    "MedicalImage": "ai4med.common.medical_image",
    "ShapeFormat": "ai4med.common.shape_format",
    "TrainContext": "ai4med.common.train_ctx",
    "TransformContext": "ai4med.common.transform_ctx",
}
"""What components are given, by the modules that old code imports them from."""
BASES = {
    "AuxiliaryOperation": ("ai4med.components.aux_ops.aux_op", "aux_ops"),
    "EvalWriter": ("ai4med.components.eval_writers.eval_writer", "writers"),
    "LRPolicy": ("ai4med.components.lr_policies.lr_policy", "lr_policies"),
    "Loss": ("ai4med.components.losses.loss", "losses"),
    "Metric": ("ai4med.components.metrics.metric", "metrics"),
    "MetricList": ("ai4med.libs.metrics.metric_list", "metrics"),
    "Model": ("ai4med.components.models.model", "models"),
    "MultiFieldTransformer": ("ai4med.components.transforms.multi_field_transformer", "transforms"),
    "Optimizer": ("ai4med.components.optimizers.optimizer", "optimizers"),
    "TrainHandler": ("ai4med.common.train_handler", "handlers"),
    "Transformer": ("ai4med.components.transforms.transformer", "transforms"),
}
"""What components derive from: the modules of old code, and the families that a config takes them for."""
HOMES = FUNCTIONS | RESULTS | DATA | {name: module for name, (module, _) in BASES.items()}


def test_the_names_are_these() -> None:
    assert set(clara_compat.__all__) == set(HOMES)
    assert clara_compat.__all__ == sorted(clara_compat.__all__)


@pytest.mark.parametrize("name", HOMES)
def test_a_name_is_what_it_says(name: str) -> None:
    found = getattr(clara_compat, name)
    assert found is getattr(import_module(HOMES[name]), name)
    assert found.__name__ == name
    assert inspect.isfunction(found) == (name in FUNCTIONS)
    assert inspect.getdoc(found)


def test_type_checkers_see_the_same() -> None:
    """The imports that only type checkers read come from where ``__getattr__`` imports."""
    tree = ast.parse(Path(clara_compat.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: one.module for one in block.body if isinstance(one, ast.ImportFrom) for alias in one.names}
    assert seen == clara_compat._HOMES


def test_completion_offers_them() -> None:
    offered = dir(clara_compat)
    assert set(offered) >= {*HOMES, "__version__"}
    assert not {"Any", "TYPE_CHECKING", "annotations", "_HOMES"} & set(offered)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'clara_compat' has no attribute 'Unet'"):
        clara_compat.Unet  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Unet' from 'clara_compat'"):
        from clara_compat import Unet  # noqa: F401


LIGHT = [*DATA, *BASES]


@pytest.mark.parametrize("names", [[], LIGHT], ids=["import", "classes"])
def test_importing_them_is_instant(names: list[str]) -> None:
    """Base classes need numpy; torch, MONAI and the rest come with what runs something."""
    heavy = ("torch", "monai", "ignite", "pydantic", "scipy", "nibabel", "matplotlib", *([] if names else ["numpy"]))
    code = f"import sys, clara_compat; [getattr(clara_compat, name) for name in {names}];"
    code += f"dir(clara_compat); print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize(
    "source",
    ["from clara_compat import {0}\nclass Mine({0}): pass\n", "import clara_compat as cc\nclass Mine(cc.{0}): pass\n"],
    ids=["name", "module"],
)
def test_a_config_knows_what_derives_from_them(source: str, name: str, tmp_path: Path) -> None:
    """The class is found by its source alone, and so is what it is."""
    (tmp_path / "mine.py").write_text(source.format(name))
    assert find_user_class("mine.Mine", UserRoots((tmp_path,))).family == BASES[name][1]
