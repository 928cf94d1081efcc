"""Look at a legacy configuration without running it: what each component becomes, and what must be mended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.config.components import ComponentSpec
from clara_compat.config.evaluate_workflow import EvaluateWorkflow, is_evaluation, load_evaluate_workflow
from clara_compat.config.loading import find_config
from clara_compat.config.positions import read_json
from clara_compat.config.problems import ConfigErrors, Notice
from clara_compat.config.user_code import UserClass, uses_tensorflow
from clara_compat.config.workflow import TrainWorkflow, load_train_workflow
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.chain import built_in_base
from clara_compat.translate.own_modules import is_unchanged, user_kind

if TYPE_CHECKING:
    from clara_compat.run.data_summary import DataSummary
    from clara_compat.translate.bundle import Bundle

__all__ = ["CheckReport", "Row", "check", "problems_of"]


@dataclass(frozen=True)
class Row:
    """One component of the config.

    Args:
        place: file, line and JSON path.
        component: its Clara name, or the path of the user's class.
        becomes: what runs in its place.
        fidelity: ``exact``, ``approximate``, ``assumed``, ``user code`` or ``not yet``.
        note: the difference from the original, in words.
    """

    place: str
    component: str
    becomes: str
    fidelity: str
    note: str = ""


@dataclass
class CheckReport:
    """What ``check`` found.

    Args:
        rows: the components in the order of the config.
        errors: what must be mended before the config can run.
        limits: what is right in the config but not run by this version yet.
        notices: what is odd but harmless.
        code: lines of the user's own code that do not run, should they be reached.
        data: what an epoch of each section is, and what is cached of it.
        config: the configuration as it was given.
        workflow: the resolved configuration, in which ``rows`` has a row for each component; None when it could not be
            read.
        bundle: what an evaluation became; None for a training, or when that could not be translated.
    """

    rows: list[Row] = field(default_factory=list)
    errors: list[ClaraError] = field(default_factory=list)
    limits: list[ClaraError] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    code: list[Notice] = field(default_factory=list)
    data: list[DataSummary] = field(default_factory=list)
    config: str = ""
    workflow: TrainWorkflow | EvaluateWorkflow | None = field(default=None, repr=False)
    bundle: Bundle | None = field(default=None, repr=False)

    @property
    def passed(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.errors

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "passed": self.passed,
            "components": [asdict(row) for row in self.rows],
            "errors": [_told(error.message, error.address) for error in self.errors],
            "limits": [_told(limit.message, limit.address) for limit in self.limits],
            "notices": [_told(notice.text, notice.address) for notice in self.notices],
            "code": [_told(line.text, line.address) for line in self.code],
            "data": [asdict(one) for one in self.data],
        }


def check(
    config: str | os.PathLike[str],
    mmar: str | os.PathLike[str] | None = None,
    env: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    data: bool = True,
) -> CheckReport:
    """Check a configuration for training, evaluation or inference; user code is parsed, never imported.

    Args:
        config: the configuration; its keys say what it is for.
        mmar: root folder of the MMAR.
        env: the environment file.
        overrides: what ``--set`` takes.
        data: also look at the data list, the scans' headers, the user's modules and the output folder; without it only
            the config itself is checked.

    Returns:
        what was found; ``passed`` is False where something must be mended.
    """
    report = CheckReport(config=str(config))
    given: dict[str, Any] = {
        "mmar": None if mmar is None else Path(mmar),
        "env": None if env is None else Path(env),
        "overrides": overrides,
        "user_code_required": data,
    }
    try:
        document = read_json(find_config(Path(config), given["mmar"]), shown=str(config))
        if is_evaluation(document.data):
            _check_evaluation(report, load_evaluate_workflow(Path(config), **given), data=data)
        else:
            _check_training(report, load_train_workflow(Path(config), **given), data=data)
    except ConfigErrors as errors:
        report.errors = errors.errors
    except ClaraError as error:
        report.errors = [error]
    return report


def _check_training(report: CheckReport, workflow: TrainWorkflow, *, data: bool) -> None:
    from clara_compat.translate.limits import limits

    report.workflow = workflow
    report.limits = limits(workflow)
    report.rows = [_row(spec) for spec in workflow.specs]
    report.errors, notices = problems_of(workflow, data=data, told_by_run=True)
    report.notices = [*workflow.notices, *notices]
    report.code = list(_lines_that_fail(workflow)) if data else []
    report.data = _summaries(workflow) if data else []


def _lines_that_fail(workflow: TrainWorkflow) -> Iterator[Notice]:
    """Find lines of the user's model and loss that do not run, as far as reading them shows."""
    from clara_compat.lint.findings import Finding
    from clara_compat.lint.linter import lint

    users = [spec.user for spec in (workflow.train.model, workflow.train.loss) if spec.user is not None]
    files = list(dict.fromkeys(user.file for user in users))
    for read in lint(files).files if files else ():
        for finding in read.all():
            if isinstance(finding, Finding) and not finding.status.passes:
                yield Notice(Address(read.file, finding.line), f"{finding.status.value}: {finding.message}")


def _check_evaluation(report: CheckReport, workflow: EvaluateWorkflow, *, data: bool) -> None:
    from clara_compat.run.evaluate import eval_folder
    from clara_compat.run.evaluation_check import check_evaluation, evaluation_limits
    from clara_compat.translate.evaluation_writers import Inference

    report.workflow = workflow
    report.limits = evaluation_limits(workflow)
    report.rows = [_row(spec) for spec in workflow.specs]
    report.notices = workflow.notices
    if report.limits:
        return
    # The annotation server's files name no data list: they are for single images.
    inference = Inference([]) if workflow.annotation else None
    found = check_evaluation(workflow, eval_folder(workflow), data=data, inference=inference)
    report.bundle = found.bundle
    report.errors = found.errors
    report.notices = [*workflow.notices, *found.notices]


def problems_of(
    workflow: TrainWorkflow, *, data: bool = True, told_by_run: bool = False
) -> tuple[list[ClaraError], list[Notice]]:
    """Return everything that would stop the run and can be known before its first batch, and what is odd about it.

    Args:
        workflow: the resolved config.
        data: also look at the data and at files and folders of this machine.
        told_by_run: also return notices of what the run says by itself.
    """
    from clara_compat.run.data_check import check_data
    from clara_compat.run.module_check import unmade
    from clara_compat.run.network_check import compares_voxels, validation_size_check
    from clara_compat.run.start_weights import check_start_weights
    from clara_compat.run.translation_check import check_translation
    from clara_compat.translate.limits import limits

    problems, notices = check_translation(workflow)
    if not data:
        return problems, notices
    train, validate = workflow.train, workflow.validate
    batch_chain = [] if problems else train.batch_transforms
    compares = {section: None if problems else compares_voxels(workflow, section) for section in ("train", "validate")}
    problems += check_data(train.image_pipeline, train.pre_transforms, None, batch_chain, compares["train"])
    if validate is not None:
        size_check = validation_size_check(train.model, validate.inferer)
        problems += check_data(validate.image_pipeline, validate.pre_transforms, size_check, (), compares["validate"])
    problems += _unwritable(workflow)
    if not problems and not limits(workflow):
        problems += unmade(workflow)
    if not problems:
        try:
            of_weights, of_match = check_start_weights(workflow)
            notices += [*of_weights, *(of_match if told_by_run else ())]
        except ClaraError as error:
            problems.append(error)
    return list({str(problem): problem for problem in problems}.values()), notices


def _summaries(workflow: TrainWorkflow) -> list[DataSummary]:
    from clara_compat.engine.data.budget import CacheBudget
    from clara_compat.run.data_summary import summarise

    budget = CacheBudget(workflow.settings.cache_gb)
    train, validate = workflow.train, workflow.validate
    found = [summarise(train.image_pipeline, train.pre_transforms, "train", budget)]
    if validate is not None:
        found.append(summarise(validate.image_pipeline, validate.pre_transforms, "validate", budget))
    return [one for one in found if one is not None]


def _unwritable(workflow: TrainWorkflow) -> Iterator[ClaraError]:
    """Find folders that the run will want to write to and cannot."""
    from clara_compat.run.outputs import check_writable

    try:
        folders: list[tuple[Any, str, Address | None]] = [(workflow.ckpt_dir, "MMAR_CKPT_DIR", None)]
    except ClaraError as error:
        yield error
        return
    folders += [
        (spec.args["report_path"], "report_path", spec.arg_address("report_path"))
        for spec in (workflow.validate.metrics if workflow.validate else [])
        if spec.args.get("report_path")
    ]
    for folder, name, address in folders:
        try:
            check_writable(workflow.mmar / str(folder), name)
        except ClaraError as error:
            yield ClaraError(error.message, address)


_RUNNING_FAMILIES = {
    "pre_transforms": "transform",
    "post_transforms": "transform",
    "label_transforms": "transform",
    "metrics": "update",
    "val_metrics": "update",
    "writers": "write",
    "writer": "write",
    "aux_ops": "get_output_tensors",
    "optimizer": "get_optimizer",
    "model": "",
    "loss": "",
    "lr_policy": "evaluate",
    "handlers": "",
}
"""Slots in which the user's own components run, with the method (any, when empty) that makes a subclass of a built-in
something of its own."""


def _row(spec: ComponentSpec) -> Row:
    place = str(spec.address)
    if spec.pending:
        return Row(place, spec.name, "nothing yet", "not yet", "does not run yet")
    if spec.cls is not None:
        return Row(place, spec.name, spec.cls.becomes, spec.cls.fidelity.level, spec.cls.fidelity.note)
    if spec.stock:
        return Row(place, spec.dotted, spec.dotted, "exact", "named by its path: it runs as it is")
    name = spec.user.path if spec.user is not None else spec.name
    slot = spec.section.rpartition(".")[2]
    if slot not in _RUNNING_FAMILIES:
        return Row(place, name, "nothing yet", "not yet", "user-written components of this kind do not run yet")
    if spec.user is not None and uses_tensorflow(spec.user):
        return Row(place, name, "nothing yet", "not yet", "written with TensorFlow, which does not run yet")
    base = None if spec.user is None else built_in_base(spec.user)
    if base is not None and spec.user is not None and not _is_own(spec, spec.user, slot):
        return Row(place, name, base.becomes, base.fidelity.level, f"as {base.__name__}, from which it derives")
    if spec.user is not None and slot in ("model", "loss") and user_kind(spec.user, slot) == "module":
        return Row(place, name, "the same torch module", "user code")
    return Row(place, name, "the same code, through an adapter", "user code")


def _is_own(spec: ComponentSpec, user: UserClass, slot: str) -> bool:
    """Whether a subclass of a built-in is something of its own."""
    if slot in ("model", "loss"):
        return not is_unchanged(spec, slot)
    method = _RUNNING_FAMILIES[slot]
    return method in user.methods if method else bool(user.methods - {"__init__"})


def _told(text: str, address: Address | None) -> dict[str, Any]:
    return {"message": text} | ({} if address is None else asdict(address))
