"""Train a legacy configuration."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.common.files import save_json
from clara_compat.common.user_code_switch import user_code_allowed
from clara_compat.common.weight_files import is_tensorflow
from clara_compat.config.loading import find_config
from clara_compat.config.log_config import read_log_config
from clara_compat.config.problems import Problems
from clara_compat.config.workflow import TrainWorkflow, load_train_workflow
from clara_compat.errors import ClaraError
from clara_compat.run.check import problems_of
from clara_compat.run.console import default_log_config, logging_of_a_run, noted_warnings, say_loading
from clara_compat.run.outputs import OUTPUTS, prepare, put_back, write_bundle
from clara_compat.run.resumption import resumed_seeds, with_config, without_start_weights
from clara_compat.run.seeds import seeds_of
from clara_compat.run.several import check_launch, launch_notices, on_all_processes, share_warnings
from clara_compat.run.start_weights import start_weights
from clara_compat.run.strangers_json import read_json, texts
from clara_compat.translate.bundle import Bundle
from clara_compat.translate.limits import limits
from clara_compat.translate.train import translate_train

if TYPE_CHECKING:
    import torch
    from monai.bundle import ConfigParser

__all__ = ["TrainResult", "train"]

logger = logging.getLogger("clara_compat")


@dataclass(frozen=True)
class TrainResult:
    """What a training run gives.

    Args:
        stats: the content of ``train_stats.json``.
        paths: output files that exist, by name: ``model``, ``final_model``, ``checkpoint``, ``stats``, ``cases``,
            ``report``, ``bundle``, ``metadata``, ``logging``.
        network: the trained network with its last weights.
        parser: the bundle config's parser with every object of the run, such as
            ``parser.get_parsed_content("train#trainer")``.
    """

    stats: dict[str, Any]
    paths: dict[str, Path]
    network: torch.nn.Module = field(repr=False)
    parser: ConfigParser = field(repr=False)


@on_all_processes
def train(
    mmar: str | os.PathLike[str] | None = None,
    config: str | os.PathLike[str] = "config/config_train.json",
    env: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    log_config: str | os.PathLike[str] | None = None,
    resume: bool = False,
    user_code: bool = True,
) -> TrainResult:
    """Train an unmodified Clara Train 3.1 configuration on MONAI.

    Args:
        mmar: root folder of the MMAR; by default the folder above the config's ``config`` folder.
        config: the training configuration, relative to the working folder or to the MMAR.
        env: the environment file; by default the MMAR's ``config/environment.json``.
        overrides: what ``--set`` takes: ``["epochs=2"]`` or ``{"epochs": 2}``, also paths into the config.
        log_config: a ``logging`` INI file; by default the MMAR's ``resources/log.config``.
        resume: go on from the ``checkpoint.pt`` in ``MMAR_CKPT_DIR``, where there is one, as
            ``continue_from_ckpt_epoch`` in the config does.
        user_code: whether code of the MMAR and of PYTHONPATH may run; a config that names some is an error otherwise.

    Returns:
        statistics, files, network and parser of the run.

    Raises:
        ClaraError: something of the user's must be mended; nothing has been written before the first check passed.

    Example::

        result = train("my_mmar", overrides={"epochs": 2, "DATA_ROOT": "/data/spleen"})
        result.stats["best_value"]
    """
    workflow = load_train_workflow(
        Path(config), mmar=_path(mmar), env=_path(env), overrides=overrides, user_code=user_code
    )
    with user_code_allowed(user_code, workflow.mmar):
        return _checked(workflow, log_config, resume=resume)


def _checked(workflow: TrainWorkflow, log_config: str | os.PathLike[str] | None, *, resume: bool) -> TrainResult:
    """Check everything that can be known, then run."""
    check_launch(workflow)
    ckpt_dir = workflow.ckpt_dir
    checkpoint = None
    if resume or workflow.settings.continue_from_ckpt_epoch:
        checkpoint = _checkpoint(ckpt_dir)
    if checkpoint is not None:
        workflow = without_start_weights(workflow)
    errors, notices = problems_of(workflow)
    problems = Problems()
    problems.errors = [*limits(workflow), *errors]
    problems.raise_any()
    log_file = find_config(Path(log_config), workflow.mmar) if log_config else default_log_config(workflow.mmar)
    logging_settings = read_log_config(log_file, ckpt_dir) if log_file else None
    try:
        ckpt_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClaraError(
            f"the output folder {ckpt_dir} cannot be made: {error.strerror}; mend MMAR_CKPT_DIR"
        ) from error
    with logging_of_a_run(logging_settings), noted_warnings() as warned:
        for notice in [*workflow.notices, *notices, *launch_notices(workflow, "train")]:
            logger.warning("%s", notice)
        say_loading()
        if checkpoint is not None:
            parser = _go_on(workflow, ckpt_dir, warned, checkpoint)
        else:
            parser = _run(workflow, ckpt_dir, warned, resume=resume)
    from clara_compat.engine.distributed.gather import from_first

    paths = {name: ckpt_dir / file for name, file in OUTPUTS.items() if (ckpt_dir / file).exists()}
    return TrainResult(
        stats=from_first(lambda: json.loads(paths["stats"].read_text())),
        paths=paths,
        network=parser.get_parsed_content("network"),
        parser=parser,
    )


def _checkpoint(ckpt_dir: Path) -> dict[str, Any] | None:
    """Return what the checkpoint of a training says of it; its tensors have no values."""
    from clara_compat.engine.checkpoint_files import read_checkpoint

    found = read_checkpoint(ckpt_dir, values=False)
    return None if found is None else found.content


def _go_on(
    workflow: TrainWorkflow, ckpt_dir: Path, warned: Sequence[str], checkpoint: Mapping[str, Any]
) -> ConfigParser:
    """Go on with the training that left a checkpoint: what is in the folder stays there."""
    from clara_compat.engine.distributed.gather import from_first, is_first
    from clara_compat.run.execute import execute

    earlier = texts(read_json(ckpt_dir / OUTPUTS["stats"], []).get("warnings"))
    bundle = translate_train(workflow, from_first(lambda: resumed_seeds(workflow, checkpoint)), ckpt_dir)
    with with_config(ckpt_dir, bundle.config) if is_first() else nullcontext():
        parser = execute(_resuming(bundle))
    _report(ckpt_dir, warned, earlier)
    return parser


def _resuming(bundle: Bundle) -> Bundle:
    """Return a bundle as ``--resume true`` makes it."""
    return replace(bundle, config={**bundle.config, "resume": True})


def _run(workflow: TrainWorkflow, ckpt_dir: Path, warned: Sequence[str], *, resume: bool) -> ConfigParser:
    from clara_compat.engine.distributed.gather import everybody, from_first, is_first
    from clara_compat.run.execute import execute

    start = start_weights(workflow).path
    start = None if start is None else _real(start)
    start = everybody(start)[0]  # all have looked at the files that are moved now
    moved = from_first(lambda: prepare(ckpt_dir))  # weights to start from may be among the results of an earlier run
    start = None if start is None else moved.get(start, start)
    try:
        seeds = from_first(lambda: seeds_of(workflow.settings.determinism))  # some are drawn
        bundle = translate_train(workflow, seeds, ckpt_dir, start)
        if is_first():
            write_bundle(ckpt_dir, bundle.config)
        parser = execute(_resuming(bundle) if resume else bundle)
    except BaseException:
        if is_first():
            put_back(ckpt_dir, moved)
        raise
    _report(ckpt_dir, warned)
    return parser


def _report(ckpt_dir: Path, warned: Sequence[str], earlier: Sequence[str] = ()) -> None:
    """Add the warnings of the run to its statistics, and make the report of it; a run does not fail by this.

    Args:
        ckpt_dir: the output folder.
        warned: warnings of this run.
        earlier: those of the runs that it went on from.
    """
    from clara_compat.engine.distributed.gather import is_first
    from clara_compat.run.training_report import training_report

    share_warnings(warned)
    if not is_first():
        return
    stats = ckpt_dir / OUTPUTS["stats"]
    try:
        if told := list(dict.fromkeys([*earlier, *warned])):
            save_json({**json.loads(stats.read_text()), "warnings": told}, stats)
        training_report(ckpt_dir)
    except Exception as error:  # noqa: BLE001 -- the weights are there, whatever a picture of them meets
        logger.warning("the training report could not be made: %s: %s", type(error).__name__, error)


def _real(weights: Path) -> Path:
    """Return a file without symbolic links; of a TensorFlow checkpoint the folder, where its other files are, too."""
    return weights.parent.resolve() / weights.name if is_tensorflow(weights) else weights.resolve()


def _path(value: str | os.PathLike[str] | None) -> Path | None:
    return None if value is None else Path(value)
