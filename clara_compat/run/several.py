"""Runs that are started as several processes, by ``torchrun`` or by ``mpirun``."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import ParamSpec, TypeVar

from clara_compat.common.launch import launched
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.problems import Notice
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import ClaraError

__all__ = ["check_launch", "launch_notices", "on_all_processes", "share_warnings"]

logger = logging.getLogger("clara_compat")

P = ParamSpec("P")
R = TypeVar("R")


def on_all_processes(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function run on all processes of a launched run together: they meet before it, and part after it.

    Args:
        function: what every process calls.
    """

    @functools.wraps(function)
    def together(*args: P.args, **kwargs: P.kwargs) -> R:
        if launched() is None:
            return function(*args, **kwargs)
        from clara_compat.engine.distributed.processes import job

        with job():
            return function(*args, **kwargs)

    return together


def check_launch(workflow: TrainWorkflow | EvaluateWorkflow) -> None:
    """Refuse a launcher whose processes would each do the whole run.

    Args:
        workflow: the resolved config.

    Raises:
        ClaraError: several processes were started without ``multi_gpu``.
    """
    launch = launched()
    if launch is not None and not workflow.settings.multi_gpu:
        raise ClaraError(
            f"{launch.by} started {launch.size} processes, but multi_gpu is false: each would do the whole run and "
            f"write the same files; add --set multi_gpu=true, or start one process without {launch.by}",
            workflow.address("multi_gpu"),
        )


def launch_notices(workflow: TrainWorkflow | EvaluateWorkflow, command: str) -> Iterator[Notice]:
    """Say how ``multi_gpu`` is launched, where one process was started.

    Args:
        workflow: the resolved config.
        command: ``train`` or ``evaluate``.
    """
    if not workflow.settings.multi_gpu or launched() is not None:
        return
    import torch

    count = max(2, torch.cuda.device_count() if torch.cuda.is_available() else 0)
    line = f"-m nvmidl.apps.{command} ... --set multi_gpu=true"
    yield Notice(
        workflow.address("multi_gpu"),
        f"multi_gpu is true, but one process was started, which runs alone; for {count} of them: torchrun "
        f"--nproc_per_node {count} {line}, or: mpirun -np {count} -H localhost:{count} -bind-to none -map-by slot "
        f"python -u {line} (as root with --allow-run-as-root)",
    )


def share_warnings(warned: Sequence[str]) -> None:
    """Tell on the first process what only others have warned of: a scan of theirs, for instance.

    Args:
        warned: what this process has; :func:`~clara_compat.run.console.noted_warnings` adds what is told.
    """
    if launched() is None:
        return
    from clara_compat.engine.distributed.gather import everybody

    for texts in everybody(list(warned)):
        for text in texts:
            if text not in warned:
                logger.warning("%s", text)
