from __future__ import annotations

import pytest

from clara_compat.common.launch import Launch, is_first_process, launched
from clara_compat.errors import ClaraError

MPI = {
    "OMPI_COMM_WORLD_RANK": "3",
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
    "OMPI_MCA_orte_hnp_uri": "367656960.0;tcp://192.0.2.2,10.0.0.1:54869;tcp6://[fd00::2]:48349",
    "PMIX_NAMESPACE": "367656961",
    "PMIX_SERVER_TMPDIR": "/tmp/job",
}
TORCH = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "here"}


SLURM = {
    "SLURM_JOB_ID": "77",
    "SLURM_STEP_ID": "1",
    "SLURM_STEP_NUM_TASKS": "7",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2),3",
    "SLURM_STEP_NODELIST": "node[03-04],login",
    "SLURM_NODEID": "2",
    "SLURM_PROCID": "6",
    "SLURM_LOCALID": "2",
}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WORLD_SIZE": "4"}, None),  # a variable of nobody in particular
        ({"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}, None),
        ({"OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"}, None),
        ({**TORCH, "MASTER_PORT": "4000"}, Launch(1, 2, 1, 2, "torchrun", "here", 4000)),
        (TORCH, Launch(1, 2, 1, 2, "torchrun", "here", 29500)),
        ({"RANK": "5", "WORLD_SIZE": "8", "MASTER_ADDR": "pod0"}, Launch(5, 8, 0, 1, "torchrun", "pod0", 29500)),
        ({**MPI, **TORCH}, Launch(1, 2, 1, 2, "torchrun", "here", 29500)),
        (
            {**MPI, "MASTER_ADDR": "node7", "MASTER_PORT": "5000"},
            Launch(3, 4, 1, 2, "mpirun", "node7", 5000, job="367656961"),
        ),
        (  # all on one machine, but the user says where they meet
            {**MPI, "OMPI_COMM_WORLD_LOCAL_SIZE": "4", "MASTER_ADDR": "node7", "MASTER_PORT": "5000"},
            Launch(3, 4, 1, 4, "mpirun", "node7", 5000, job="367656961"),
        ),
        ({**SLURM, "MASTER_PORT": "5000"}, Launch(6, 7, 2, 3, "srun", "node03", 5000, job="77_1")),
        ({**SLURM, "MASTER_ADDR": "n9", "MASTER_PORT": "1"}, Launch(6, 7, 2, 3, "srun", "n9", 1, job="77_1")),
        (
            {
                **SLURM,
                "SLURM_STEP_NUM_TASKS": "1",
                "SLURM_PROCID": "0",
                "SLURM_STEP_TASKS_PER_NODE": "1",
                "SLURM_LOCALID": "0",
            },
            None,
        ),
        ({"SLURM_JOB_ID": "77", "SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, None),  # the script of a job, no task
        ({**SLURM, **TORCH}, Launch(1, 2, 1, 2, "torchrun", "here", 29500)),
    ],
)
def test_what_launchers_tell(environment: dict[str, str], expected: Launch | None) -> None:
    assert launched(environment) == expected


def test_mpirun_on_several_machines() -> None:
    found = launched(MPI)
    assert found is not None
    assert (found.address, found.folder) == ("192.0.2.2", "")  # the folder is of one machine only
    assert 20_000 <= found.port < 32_000
    other = launched({**MPI, "PMIX_NAMESPACE": "367656962"})
    assert other is not None
    assert other.port != found.port  # two jobs on a machine do not meet


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("a", "a"),
        ("a,b", "a"),
        ("node[1-4]", "node1"),
        ("node[07,09-11],login", "node07"),
        ("rack[2-3]n[01-04]-ib", "rack2n01-ib"),
        ("", ""),
    ],
)
def test_the_first_node_of_slurm(nodes: str, first: str) -> None:
    found = launched({**SLURM, "SLURM_STEP_NODELIST": nodes})
    assert found is not None
    assert found.address == first


def test_mpirun_on_one_machine_needs_no_port() -> None:
    found = launched({**MPI, "OMPI_COMM_WORLD_LOCAL_SIZE": "4", "PMIX_NAMESPACE": "prterun-host-12@1"})
    assert found is not None
    assert (found.folder, found.job, found.is_first) == ("/tmp/job", "prterun_host_12_1", False)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({**TORCH, "RANK": "2"}, "torchrun says that this is process 2 of 2, and 1 of 2 on this machine, which cannot"),
        ({**TORCH, "LOCAL_RANK": "x"}, "the environment variable LOCAL_RANK is 'x', expected a number"),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, "the environment variable OMPI_COMM_WORLD_RANK is '', expected a number"),
        ({**TORCH, "MASTER_ADDR": ""}, "WORLD_SIZE is 2, but MASTER_ADDR is not set: start the run with torchrun"),
    ],
)
def test_variables_that_cannot_be(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        launched(environment)


def test_who_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_first_process()
    for name, value in TORCH.items():
        monkeypatch.setenv(name, value)
    assert not is_first_process()
    monkeypatch.setenv("RANK", "0")
    assert is_first_process()
