"""Evaluate a trained network with a legacy configuration."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.common.files import save_json
from clara_compat.common.full_disk import unwritten_is_told
from clara_compat.common.user_code_switch import user_code_allowed
from clara_compat.config.evaluate_workflow import EvaluateWorkflow, load_evaluate_workflow
from clara_compat.config.loading import find_config
from clara_compat.config.log_config import read_log_config
from clara_compat.config.problems import Problems
from clara_compat.errors import ClaraError
from clara_compat.run.console import default_log_config, logging_of_a_run, noted_warnings, say_loading
from clara_compat.run.evaluation_check import check_evaluation, evaluation_limits
from clara_compat.run.several import check_launch, launch_notices, on_all_processes, share_warnings
from clara_compat.translate.evaluate import STATS
from clara_compat.translate.evaluation_writers import Inference

if TYPE_CHECKING:
    from monai.bundle import ConfigParser

__all__ = ["BUNDLE", "EvaluateResult", "eval_folder", "evaluate", "run_evaluation"]

logger = logging.getLogger("clara_compat")

PICTURE = "evaluate.png"
"""The worst, the median and the best case, in MMAR_EVAL_OUTPUT_PATH."""

BUNDLE = "evaluate.json"
"""The bundle config that ran, in MMAR_EVAL_OUTPUT_PATH."""


@dataclass(frozen=True)
class EvaluateResult:
    """What an evaluation gives.

    Args:
        metrics: value of each metric over all cases; empty without validation.
        cases: per case its value of each metric, None where that is not defined.
        stats: the content of ``evaluate_stats.json``, the written files of each case among it.
        paths: ``folder`` of the results, and of an evaluation in it ``stats``, ``bundle`` and, where labels were
            compared, ``picture``.
        parser: the bundle config's parser with every object of the run.
    """

    metrics: dict[str, float]
    cases: dict[str, dict[str, float | None]]
    stats: dict[str, Any]
    paths: dict[str, Path]
    parser: ConfigParser = field(repr=False)


@on_all_processes
def evaluate(
    mmar: str | os.PathLike[str] | None = None,
    config: str | os.PathLike[str] = "config/config_validation.json",
    env: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    log_config: str | os.PathLike[str] | None = None,
    user_code: bool = True,
) -> EvaluateResult:
    """Run an unmodified Clara Train 3.1 evaluation config: predictions, their files, metrics and reports.

    ``do_validation`` compares with the labels (default false), ``output_infer_result`` writes (default true), and
    ``overwrite_previous_result=false`` takes the results that are there already: a run that was interrupted goes on.

    Args:
        mmar: root folder of the MMAR; by default the folder above the config's ``config`` folder.
        config: the evaluation configuration, relative to the working folder or to the MMAR.
        env: the environment file; by default the MMAR's ``config/environment.json``.
        overrides: what ``--set`` takes: ``["do_validation=true"]`` or ``{"do_validation": True}``, also paths into the
            config.
        log_config: a ``logging`` INI file; by default the MMAR's ``resources/log.config``.
        user_code: whether code of the MMAR and of PYTHONPATH, and TorchScript, may run; what needs some is an error
            otherwise.

    Returns:
        values of all cases and of each, and the files.

    Raises:
        ClaraError: something of the user's must be mended; nothing has been written before the first check passed.

    Example::

        result = evaluate("my_mmar", overrides={"do_validation": True})
        result.metrics["mean_dice"]
    """
    workflow = load_evaluate_workflow(
        Path(config), mmar=_path(mmar), env=_path(env), overrides=overrides, user_code=user_code
    )
    with user_code_allowed(user_code, workflow.mmar):
        return run_evaluation(workflow, eval_folder(workflow), log_config=log_config)


def eval_folder(workflow: EvaluateWorkflow) -> Path:
    """Return where the results go.

    Raises:
        ClaraError: MMAR_EVAL_OUTPUT_PATH is empty.
    """
    folder = workflow.variables["MMAR_EVAL_OUTPUT_PATH"]
    if not folder:
        raise ClaraError("MMAR_EVAL_OUTPUT_PATH is empty: name the folder for the results", workflow.address())
    return Path(folder)


@on_all_processes
def run_evaluation(
    workflow: EvaluateWorkflow,
    eval_dir: Path,
    *,
    log_config: str | os.PathLike[str] | None = None,
    model: str | os.PathLike[str] | None = None,
    inference: Inference | None = None,
) -> EvaluateResult:
    """Check a workflow, translate it, and run what it became.

    Args:
        workflow: the resolved config.
        eval_dir: where the results go.
        log_config: a ``logging`` INI file; by default the MMAR's ``resources/log.config``.
        model: an output folder of a training, or an exported network, in place of what the config names.
        inference: images in place of the data list.

    Raises:
        ClaraError: something of the user's must be mended.
    """
    check_launch(workflow)
    problems = Problems()
    problems.errors = evaluation_limits(workflow)
    problems.raise_any()
    found = check_evaluation(workflow, eval_dir, model=model, inference=inference)
    problems.errors = found.errors
    problems.raise_any()
    if found.model is None or found.bundle is None:
        raise RuntimeError("no network or no bundle config, and no error that says so")
    log_file = find_config(Path(log_config), workflow.mmar) if log_config else default_log_config(workflow.mmar)
    logging_settings = read_log_config(log_file, eval_dir) if log_file else None
    try:
        eval_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        named = "MMAR_EVAL_OUTPUT_PATH" if inference is None else "the output folder"
        raise ClaraError(f"the output folder {eval_dir} cannot be made: {error.strerror}; mend {named}") from error
    with logging_of_a_run(logging_settings), noted_warnings() as warned:
        for notice in [*workflow.notices, *found.notices, *launch_notices(workflow, "evaluate")]:
            logger.warning("%s", notice)
        logger.info("network: %s", found.model.files.file)
        say_loading()
        from clara_compat.common.launch import is_first_process
        from clara_compat.run.execute import execute

        if inference is None and is_first_process():
            with unwritten_is_told("free some space, or name another folder with MMAR_EVAL_OUTPUT_PATH"):
                save_json(found.bundle.config, eval_dir / BUNDLE)
        parser = execute(found.bundle)
        share_warnings(warned)
        stats = parser.get_parsed_content("handlers")[0].content
        picture = _picture(eval_dir, parser, list(stats["metrics"]))
    paths = {"folder": eval_dir}
    if inference is None:
        paths |= {"stats": eval_dir / STATS, "bundle": eval_dir / BUNDLE}
    if picture is not None:
        paths["picture"] = picture
    cases = {case["name"]: case["metrics"] for case in stats["cases"]}
    return EvaluateResult(stats["metrics"], cases, stats, paths, parser)


def _picture(eval_dir: Path, parser: ConfigParser, metrics: Sequence[str]) -> Path | None:
    """Draw the worst, the median and the best case; the results are there, whatever a picture of them meets."""
    cases = parser.get_parsed_content("step").cases
    if not metrics or not any(case.slice for case in cases):
        return None
    from clara_compat.run.evaluation_picture import save_picture

    try:
        return save_picture(eval_dir / PICTURE, cases, metrics[0])
    except ClaraError as error:
        logger.warning("%s", error)
        return None


def _path(value: str | os.PathLike[str] | None) -> Path | None:
    return None if value is None else Path(value)
