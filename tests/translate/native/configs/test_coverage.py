"""Everything that an exact config can point at has a native form, or is left out with a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import clara_compat
from clara_compat.translate.native.facts import CLASSES
from clara_compat.translate.native.handlers import EARLY_STOP, EVENTS, HANDLERS, NAMED
from clara_compat.translate.native.inferers import AUTOCAST, MASKS
from clara_compat.translate.native.losses import LOSSES
from clara_compat.translate.native.lr_policies import POLICIES
from clara_compat.translate.native.metrics import METRICS, OPERATIONS
from clara_compat.translate.native.networks import NETWORKS
from clara_compat.translate.native.optimizers import OPTIMIZERS
from clara_compat.translate.native.transforms import TRANSFORMS

_PACKAGE = Path(clara_compat.__file__).parent
_TARGET = re.compile(r'"(clara_compat\.(?:engine|tensorflow|common)(?:\.\w+)+)"')

MADE_ANEW = {
    # the data side
    "clara_compat.engine.data.datalist.load_datalist",
    "clara_compat.engine.data.epoch_plan.EpochPlan",
    "clara_compat.engine.data.cache.ItemCache",
    "clara_compat.engine.data.budget.CacheBudget",
    "clara_compat.engine.data.dataset.SeededDataset",
    "clara_compat.engine.data.loader.data_loader",
    "clara_compat.engine.evaluation.cases.CaseDataset",
    "clara_compat.engine.evaluation.cases.case_loader",
    "clara_compat.engine.evaluation.cases.image_items",
    # the engine of an evaluation
    "clara_compat.engine.evaluation.step.EvaluateCases",
    "clara_compat.engine.evaluation.report.CaseReport",
    "clara_compat.engine.handlers.case_progress.CaseProgress",
    "clara_compat.engine.model_files.exported_network",
    "clara_compat.engine.model_files.network_with_weights",
    # what a training starts with
    "clara_compat.engine.determinism.seed_run",
    "clara_compat.engine.distributed.processes.start",
    "clara_compat.engine.distributed.processes.end",
    "clara_compat.engine.fine_tuning.load_into",
    "clara_compat.engine.loss_variables.load_loss_into",
    "clara_compat.engine.losses.extra.LossWithExtra",
    "clara_compat.engine.metrics.named.named_metrics",
    "clara_compat.engine.data.batch",
    "clara_compat.engine.metrics.compare",
    "clara_compat.tensorflow.loader.use",
    # the user's own
    "clara_compat.tensorflow.loader.component",
    "clara_compat.tensorflow.network.LegacyNetwork",
    "clara_compat.tensorflow.loss.legacy_loss",
    "clara_compat.engine.legacy.module.user_module",
    "clara_compat.engine.legacy.optimizer.legacy_optimizer",
    "clara_compat.engine.legacy.metric.LegacyMetric",
    "clara_compat.engine.legacy.aux_op.LegacyAuxOp",
    "clara_compat.common.data_prop.DataProperty",
    "clara_compat.common.label_format.LabelFormat",
    # values of auxiliary operations
    "clara_compat.engine.aux_ops.AuxiliaryOutputs",
    "clara_compat.engine.aux_dice.MeanInsideClasses",
}
"""What ``native_train`` and ``native_evaluate`` look for by its place; each is in one of the configs of the tests."""

KNOWN = {
    *MADE_ANEW,
    *NETWORKS,
    *OPTIMIZERS,
    *LOSSES,
    CLASSES,
    *POLICIES,
    *METRICS,
    *OPERATIONS,
    *HANDLERS,
    EVENTS,
    NAMED,
    EARLY_STOP,
    AUTOCAST,
    MASKS,
    *TRANSFORMS,
}


def test_every_target_is_known() -> None:
    files = [
        file
        for room in ("components", "translate")
        for file in (_PACKAGE / room).rglob("*.py")
        if "native" not in file.relative_to(_PACKAGE).parts
    ]
    targets = {target for file in files for target in _TARGET.findall(file.read_text())}
    assert len(targets) > 80
    assert not targets - KNOWN
    assert not {target for target in KNOWN if not exists(target)}


def exists(target: str) -> bool:
    """Whether a target names something of the package."""
    module, _, name = target.rpartition(".")
    path = _PACKAGE.parent / Path(*module.split("."))
    text = path.with_suffix(".py").read_text() if path.with_suffix(".py").is_file() else ""
    return (path / f"{name}.py").is_file() or re.search(rf"^(class|def) {name}\b", text, re.MULTILINE) is not None
