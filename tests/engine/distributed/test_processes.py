"""How the processes of a run begin and end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.distributed as dist

from clara_compat.common.launch import Launch
from clara_compat.engine.distributed import gather, processes
from clara_compat.errors import ClaraError


def ends(start_two: Any, how: str) -> list[tuple[int, str, str]]:
    """Return code and output of both; the second to end is ended, as launchers do, when the first has failed."""
    started = start_two("ends.py", how)
    second = started[1].communicate(timeout=120)
    if started[1].returncode not in (0, -9):
        started[0].terminate()
    first = started[0].communicate(timeout=120)
    return [(started[0].returncode, *first), (started[1].returncode, *second)]


@pytest.mark.slow
@pytest.mark.parametrize(("how", "times"), [("once", 1), ("twice", 2)])
def test_they_meet_and_part(start_two: Any, how: str, times: int) -> None:
    for code, out, err in ends(start_two, how):
        assert (code, out) == (0, "[0, 1]\n" * times + "1\n"), err


@pytest.mark.slow
def test_an_error_of_one_is_told_once(start_two: Any) -> None:
    first, second = ends(start_two, "error")
    assert (second[0], second[2]) == (2, "this scan cannot be read\n")
    assert (first[0], first[1], first[2]) == (-15, "", "")  # it waited for its end


@pytest.mark.slow
def test_an_error_of_all_is_told_once(start_two: Any) -> None:
    started = start_two("ends.py", "same error")
    told = "".join(process.communicate(timeout=120)[1] for process in started)
    assert told == "this scan cannot be read\n"
    assert sorted(process.returncode for process in started) == [1, 2]


@pytest.mark.slow
def test_one_that_was_killed_is_missed(start_two: Any) -> None:
    first, second = ends(start_two, "killed")
    assert second[0] == -9
    assert first[0] == 2
    assert first[2].startswith("another process of this run was ended from outside, as the system does where memory")


@pytest.mark.slow
def test_all_may_stop_together(start_two: Any) -> None:
    started = start_two("ends.py", "asked to stop")
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in started] == [("", 143)] * 2


def test_alone_nothing_begins_or_ends() -> None:
    processes.start()
    with processes.job():
        processes.end()
    processes.end()
    assert not dist.is_initialized()
    assert (gather.size(), gather.rank(), gather.is_first()) == (1, 0, True)
    assert gather.from_first(lambda: 3) == 3
    assert (gather.any_process(True), gather.any_process(False)) == (True, False)
    assert gather.to_first([1]) == [1]


def neighbour(**changes: Any) -> Any:
    given = {"host": "here", "local_rank": 0, "cores": [0, 1, 2, 3], "gpus": 2, "gpu": "a"}
    return processes._Neighbour(**{**given, **changes})


def test_two_processes_on_one_gpu_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch, "cuda", SimpleNamespace(set_device=chosen.append))
    launch = Launch(rank=1, size=2, local_rank=1, local_size=2, by="mpirun")
    backend = processes._backend
    assert backend(launch, [neighbour(gpu="b", local_rank=1), neighbour()]) == "cpu:gloo,cuda:nccl"
    assert chosen == [1]
    assert backend(launch, [neighbour(gpus=0, gpu=""), neighbour(gpus=0, gpu="")]) == "gloo"
    with pytest.raises(
        ClaraError, match="mpirun started 2 processes on here, which has 1 GPU: start one process per GPU"
    ):
        backend(launch, [neighbour(gpus=1), neighbour(gpus=1)])
    # a launcher that shows each process a GPU of its own
    assert backend(launch, [neighbour(gpus=1, gpu="b"), neighbour(gpus=1)]) == "cpu:gloo,cuda:nccl"


@pytest.mark.parametrize(
    ("neighbours", "threads"),
    [
        ([neighbour(), neighbour()], 2),
        ([neighbour(), neighbour(), neighbour()], 1),
        ([neighbour(cores=[0, 1]), neighbour(cores=[2, 3])], 2),  # bound: each has its own
        ([neighbour()], None),
    ],
)
def test_cores_are_divided(neighbours: list[Any], threads: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    given: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", given.append)
    processes._share_cores(neighbours)
    assert given == ([] if threads is None else [threads])
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    given.clear()
    processes._share_cores(neighbours)
    assert given == []


def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_MEETING", processes.timedelta(seconds=1))
    store = processes._store
    with pytest.raises(ClaraError, match="mpirun does not say on which machine the first process is: name it with"):
        store(Launch(1, 2, 0, 1, "mpirun"), "run")
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "")
    with pytest.raises(
        ClaraError, match=r"process 1 of 2 did not find the first one at 127.0.0.1, port 9: .* MASTER_PORT"
    ):
        store(Launch(1, 2, 0, 1, "mpirun", "127.0.0.1", 9), "run")


def test_one_that_does_not_come(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_MEETING", processes.timedelta(seconds=1))
    launch = Launch(0, 2, 0, 2, "mpirun", folder=str(tmp_path), job="7")
    with pytest.raises(ClaraError, match="mpirun started 2 processes, but they did not all come within"):
        processes._neighbours(launch, processes._store(launch, "run"))


@pytest.mark.parametrize("backend", ["cuda:nccl", "cpu:gloo"])
def test_after_a_failure_nccl_waits_for_nobody(
    backend: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Aborting may fail itself: the group is destroyed all the same, and what is told is what ended the run."""
    called: list[str] = []

    def abort() -> None:
        called.append("abort")
        raise RuntimeError("no communicator")

    monkeypatch.setattr(processes._run, "store", object())
    for name, value in (
        ("is_initialized", lambda: True),
        ("get_backend_config", lambda: backend),
        ("destroy_process_group", lambda: called.append("destroy")),
    ):
        monkeypatch.setattr(dist, name, value)
    monkeypatch.setattr(dist.distributed_c10d, "_abort_process_group", abort)
    monkeypatch.setattr(processes.idist, "sync", lambda: None)
    with caplog.at_level("DEBUG", "clara_compat"):
        processes._leave(failed=True)
    nccl = "nccl" in backend
    assert called == (["abort", "destroy"] if nccl else ["destroy"])
    told = "the communication of the processes could not be aborted: no communicator"
    assert caplog.messages == ([told] if nccl else [])
