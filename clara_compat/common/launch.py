"""How a process was started: alone, or as one of several by ``torchrun``, ``mpirun`` or ``srun``."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from clara_compat.errors import ClaraError

__all__ = ["Launch", "is_first_process", "launched", "processes_here"]

_TORCH, _MPI, _SLURM = "torchrun", "mpirun", "srun"
_PORTS = (20_000, 12_000)
"""First port of a job that names none, and how many there are: below those that Linux hands out by itself."""


@dataclass(frozen=True)
class Launch:
    """A process among others.

    Args:
        rank: its number, from 0, over all machines.
        size: number of processes.
        local_rank: its number on this machine.
        local_size: number of processes on this machine.
        by: ``torchrun``, ``mpirun`` or ``srun``.
        address: where the first process is, as ``MASTER_ADDR`` says or the launcher tells; empty where it is not known.
        port: on which the processes find each other.
        folder: of the job on this machine, where all its processes are here; the launcher removes it.
        job: what no other job of this machine is called.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int
    by: str
    address: str = ""
    port: int = 0
    folder: str = ""
    job: str = ""

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0


def launched(environment: Mapping[str, str] = os.environ) -> Launch | None:
    """Return what a launcher has told this process, None for one that runs alone.

    ``torchrun`` (and whoever else follows torch) sets ``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK`` and ``MASTER_ADDR``,
    Open MPI ``OMPI_COMM_WORLD_RANK`` and so on. Under ``mpirun`` a ``MASTER_ADDR`` and ``MASTER_PORT`` of the user's
    (``-x MASTER_ADDR=...``) win over what Open MPI tells of the machine that it was started on. ``srun`` sets
    ``SLURM_STEP_NUM_TASKS``; whatever is started within one of its tasks, ``torchrun`` for instance, wins over it.

    Args:
        environment: the variables.

    Raises:
        ClaraError: the variables contradict each other, or one is missing.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        found = _of_torch(environment)
    elif "OMPI_COMM_WORLD_SIZE" in environment:
        found = _of_mpi(environment)
    elif "SLURM_STEP_NUM_TASKS" in environment:
        found = _of_slurm(environment)
    else:
        return None
    if not (0 <= found.rank < found.size and 0 <= found.local_rank < found.local_size <= found.size):
        raise ClaraError(
            f"{found.by} says that this is process {found.rank} of {found.size}, and {found.local_rank} of "
            f"{found.local_size} on this machine, which cannot be: start the run anew, without such variables of an "
            "earlier one in the environment (RANK, WORLD_SIZE, LOCAL_RANK, OMPI_COMM_WORLD_*, SLURM_*)"
        )
    return found if found.size > 1 else None


def is_first_process() -> bool:
    """Whether this process writes and tells: the only one, or the first of several."""
    found = launched()
    return found is None or found.is_first


def processes_here() -> int:
    """Return how many processes of this run share this machine."""
    found = launched()
    return 1 if found is None else found.local_size


def _of_torch(environment: Mapping[str, str]) -> Launch:
    size, local = _number(environment, "WORLD_SIZE"), _number(environment, "LOCAL_RANK", 0)
    if size > 1 and not environment.get("MASTER_ADDR"):
        raise ClaraError(
            f"WORLD_SIZE is {size}, but MASTER_ADDR is not set: start the run with torchrun, which sets both, or unset "
            "RANK and WORLD_SIZE for a run of one process"
        )
    return Launch(
        rank=_number(environment, "RANK"),
        size=size,
        local_rank=local,
        local_size=_number(environment, "LOCAL_WORLD_SIZE", size if "LOCAL_RANK" in environment else 1),
        by=_TORCH,
        address=environment.get("MASTER_ADDR", ""),
        port=_number(environment, "MASTER_PORT", 29_500),
    )


def _of_mpi(environment: Mapping[str, str]) -> Launch:
    size = _number(environment, "OMPI_COMM_WORLD_SIZE")
    local_size = _number(environment, "OMPI_COMM_WORLD_LOCAL_SIZE", size)
    job = environment.get("PMIX_NAMESPACE") or environment.get("OMPI_MCA_ess_base_jobid", "")
    named = environment.get("MASTER_ADDR", "")
    return Launch(
        rank=_number(environment, "OMPI_COMM_WORLD_RANK"),
        size=size,
        local_rank=_number(environment, "OMPI_COMM_WORLD_LOCAL_RANK", 0),
        local_size=local_size,
        by=_MPI,
        address=named or _head_node(environment),
        port=_number(environment, "MASTER_PORT", _port_of(job)),
        folder=environment.get("PMIX_SERVER_TMPDIR", "") if local_size == size and not named else "",
        job=re.sub(r"\W", "_", job),
    )


def _of_slurm(environment: Mapping[str, str]) -> Launch:
    size, node = _number(environment, "SLURM_STEP_NUM_TASKS"), _number(environment, "SLURM_NODEID", 0)
    groups = re.findall(r"(\d+)(?:\(x(\d+)\))?", environment.get("SLURM_STEP_TASKS_PER_NODE", ""))  # 4(x2),3
    tasks = [int(count) for count, times in groups for _ in range(int(times or 1))] or [size]
    job = f"{environment.get('SLURM_JOB_ID', '')}_{environment.get('SLURM_STEP_ID', '')}"
    return Launch(
        rank=_number(environment, "SLURM_PROCID"),
        size=size,
        local_rank=_number(environment, "SLURM_LOCALID", 0),
        local_size=tasks[min(node, len(tasks) - 1)],
        by=_SLURM,
        address=environment.get("MASTER_ADDR") or _first_node(environment.get("SLURM_STEP_NODELIST", "")),
        port=_number(environment, "MASTER_PORT", _port_of(job)),
        job=job,
    )


def _first_node(nodes: str) -> str:
    """Return the first of Slurm's nodes: ``node03`` of ``node[03-05,09],login``."""
    first = re.match(r"(?:[^,\[]|\[[^\]]*\])*", nodes)
    return re.sub(r"\[([^\],-]*)[^\]]*\]", r"\1", first[0] if first else "")


def _port_of(job: str) -> int:
    first, count = _PORTS
    return first + zlib.crc32(job.encode()) % count


def _head_node(environment: Mapping[str, str]) -> str:
    """Return the address of the machine that ``mpirun`` was started on, the first of those that it listens on."""
    found = re.search(r"tcp://([^,:]+)", environment.get("OMPI_MCA_orte_hnp_uri", ""))
    return found[1] if found else ""


def _number(environment: Mapping[str, str], name: str, otherwise: int | None = None) -> int:
    text = environment.get(name, "")
    if not text and otherwise is not None:
        return otherwise
    if not text.isdecimal():
        raise ClaraError(f"the environment variable {name} is '{text}', expected a number: the launcher sets it")
    return int(text)
