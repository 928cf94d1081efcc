"""The beginning and the end of a run on several processes."""

from __future__ import annotations

import atexit
import itertools
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import ignite.distributed as idist
import torch
import torch.distributed as dist

from clara_compat.common.launch import Launch, launched
from clara_compat.errors import ClaraError

__all__ = ["end", "job", "start"]

logger = logging.getLogger("clara_compat")

_MEETING = timedelta(minutes=5)
"""Until when all processes have to be there."""
_WAITING = timedelta(hours=2)
"""Until when a process has to have come to where the others wait: one may be reading scans into its cache, or looking
through a case more. A process that ends is noticed at once, by its closed connections and by the launcher."""
_PATIENCE = 20.0
"""Seconds in which the launcher ends a process whose neighbour has failed; after them it ends itself."""

_FAILED = "failed"


@dataclass
class _Run:
    """What this process holds of the run that is going on."""

    store: dist.Store | None = None
    depth: int = 0


_run = _Run()
_numbers = itertools.count(1)


def start() -> None:
    """Meet the other processes of a launched run; without a launcher, or when they have met already, nothing happens.

    The processes talk over NCCL where each has a GPU of its own, and over gloo otherwise. With several of them on a
    machine, its cores are divided, unless ``OMP_NUM_THREADS`` says what a process has (``torchrun`` sets it).

    Raises:
        ClaraError: there are more processes than GPUs, or some did not come.
    """
    launch = launched()
    if launch is None or dist.is_initialized():
        return
    if launch.local_size == launch.size and Path("/sys/class/net/lo").exists():
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all on this machine: nobody else's business
    run = f"clara_compat_{next(_numbers)}"
    store = dist.PrefixStore(run, _store(launch, run))
    neighbours = _neighbours(launch, store)
    _share_cores(neighbours)
    backend = _backend(launch, neighbours)
    dist.init_process_group(backend, store=store, rank=launch.rank, world_size=launch.size, timeout=_WAITING)
    _tell_ignite(launch)
    _run.store = store
    atexit.register(_leave, failed=True)  # a run that has not taken leave until then has failed
    if launch.rank:
        logger.setLevel(logging.WARNING)  # one process tells what goes on


def end() -> None:
    """Take leave of the other processes; inside of :func:`job`, which does it at its end, nothing happens.

    A process that ends without it can be aborted in its last moment, which ``mpirun`` takes for a failure of the run.
    """
    if _run.depth == 0:
        _leave()


@contextmanager
def job() -> Iterator[None]:
    """Run what is inside together with the other processes of the launcher, if there is one.

    When something fails, the process that noticed it first raises its error, and so ends the whole run with one
    message. In the others the same error, or the loss of the connection, is no news: they end quietly. All ends only
    after the outermost of several such blocks.

    Raises:
        ClaraError: see :func:`start`; or another process was ended from outside.
    """
    if _run.depth == 0:
        start()
    _run.depth += 1
    failed = False
    try:
        yield
    except BaseException as error:
        failed = True
        if _run.depth == 1:
            _tell(error)
        raise
    finally:
        _run.depth -= 1
        if _run.depth == 0:
            _leave(failed=failed)


def _leave(*, failed: bool = False) -> None:
    if _run.store is None:
        return
    _run.store = None
    if dist.is_initialized():
        if failed and "nccl" in dist.get_backend_config():
            try:  # its destruction waits for what the others will never do
                dist.distributed_c10d._abort_process_group()  # noqa: SLF001 -- torch has no public name for it
            except Exception as error:  # noqa: BLE001 -- what ended the run is told, not what ending it meets
                logger.debug("the communication of the processes could not be aborted: %s", error)
        if dist.is_initialized():
            dist.destroy_process_group()
    idist.sync()


def _tell(error: BaseException) -> None:
    """Raise what is to be said of a failure here; return where the failure says it itself."""
    is_news = _is_news()
    if isinstance(error, SystemExit):
        return
    if not is_news:
        _await_the_end()
        raise SystemExit(1) from error
    if _is_lost_connection(error):
        raise ClaraError(
            "another process of this run was ended from outside, as the system does where memory runs out: look at "
            "what the launcher says of it, and into the system's log (dmesg); a lower cache_gb, num_workers or "
            "output_batch_size needs less memory"
        ) from error


def _is_lost_connection(error: BaseException | None) -> bool:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error)):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _is_news() -> bool:
    """Whether no other process has failed before; one that has taken the connection with it has."""
    if _run.store is None:
        return True
    try:
        return bool(_run.store.add(_FAILED, 1) == 1)
    except (RuntimeError, OSError):
        return False


def _await_the_end() -> None:
    """Wait until the launcher ends this process, so that the one that failed is the first to have ended."""
    with suppress(ValueError):  # only the main thread may say so
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    time.sleep(_PATIENCE)


def _store(launch: Launch, run: str) -> dist.Store:
    """Return where the processes leave notes for each other until they are connected.

    On one machine ``mpirun`` has a folder for the job, which needs no port that another job might have.
    """
    if launch.folder and os.access(launch.folder, os.W_OK):
        store = dist.FileStore(str(Path(launch.folder) / f"{run}_{launch.job}"), launch.size)
        store.set_timeout(_MEETING)
        return store
    if not launch.address:
        raise ClaraError(
            f"{launch.by} does not say on which machine the first process is: name it with MASTER_ADDR=HOST and "
            "MASTER_PORT=29500 (mpirun: -x MASTER_ADDR=HOST -x MASTER_PORT=29500)"
        )
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = launch.address, str(launch.port)
    try:
        store, _, _ = next(iter(dist.rendezvous("env://", launch.rank, launch.size, timeout=_MEETING)))
    except (RuntimeError, OSError) as error:
        raise ClaraError(
            f"process {launch.rank} of {launch.size} did not find the first one at {launch.address}, port "
            f"{launch.port}: {str(error).splitlines()[0]}; name a machine and a free port that all can reach with "
            "MASTER_ADDR and MASTER_PORT (mpirun: -x MASTER_ADDR=HOST -x MASTER_PORT=29500)"
        ) from error
    return store


@dataclass(frozen=True)
class _Neighbour:
    """What a process says of itself."""

    host: str
    local_rank: int
    cores: list[int]
    gpus: int
    gpu: str


def _neighbours(launch: Launch, store: dist.Store) -> list[_Neighbour]:
    """Return what the processes of this machine say of themselves, this one's first."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = launch.local_rank % gpus if gpus else 0
    gpu = str(getattr(torch.cuda.get_device_properties(index), "uuid", index)) if gpus else ""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    own = _Neighbour(socket.gethostname(), launch.local_rank, cores, gpus, gpu)
    store.set(f"process_{launch.rank}", json.dumps(vars(own)))
    try:
        store.wait([f"process_{rank}" for rank in range(launch.size)], _MEETING)
    except (RuntimeError, OSError) as error:
        raise ClaraError(
            f"{launch.by} started {launch.size} processes, but they did not all come within "
            f"{_MEETING.seconds // 60} minutes: look above for what ended one of them"
        ) from error
    others = [_Neighbour(**json.loads(store.get(f"process_{rank}"))) for rank in range(launch.size)]
    return [own, *(other for rank, other in enumerate(others) if rank != launch.rank and other.host == own.host)]


def _share_cores(neighbours: list[_Neighbour]) -> None:
    """Give torch this process' part of the cores; others have a part where they may run on the very same ones."""
    own = neighbours[0]
    if "OMP_NUM_THREADS" in os.environ or len(neighbours) == 1:
        return
    together = sum(other.cores == own.cores for other in neighbours)
    torch.set_num_threads(max(1, (len(own.cores) or os.cpu_count() or 1) // together))


def _backend(launch: Launch, neighbours: list[_Neighbour]) -> str:
    """Return what the processes talk over, this one's GPU chosen.

    Raises:
        ClaraError: two processes would have the same GPU.
    """
    own = neighbours[0]
    if not own.gpus:
        return "gloo"
    if any(other.gpu == own.gpu for other in neighbours[1:]):
        found = len({other.gpu for other in neighbours})
        raise ClaraError(
            f"{launch.by} started {len(neighbours)} processes on {own.host}, which has {found} "
            f"GPU{'s' if found != 1 else ''}: start one process per GPU, or hide the GPUs with CUDA_VISIBLE_DEVICES= "
            "to run on the CPU"
        )
    torch.cuda.set_device(launch.local_rank % own.gpus)
    return "cpu:gloo,cuda:nccl"


def _tell_ignite(launch: Launch) -> None:
    """Let Ignite take over what torch has; with a job of Slurm it would take the number of the process from there."""
    kept = {name: os.environ.pop(name, None) for name in ("SLURM_JOB_ID", "LOCAL_RANK")}
    os.environ["LOCAL_RANK"] = str(launch.local_rank)
    try:
        idist.sync()
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
