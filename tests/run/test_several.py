"""Runs of several processes, started as users start them, find what one process finds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from clara_compat.config.workflow import load_train_workflow
from clara_compat.demo.mmar import prepare_mmar
from clara_compat.demo.scans import make_scans
from clara_compat.errors import ClaraError
from clara_compat.run.migrate import migrate
from clara_compat.run.several import check_launch, launch_notices, on_all_processes
from clara_compat.run.train import train

ROOT = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
MPIRUN = [
    *("mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "2", "-H", "localhost:2"),
    *("-bind-to", "none", "-map-by", "slot", sys.executable, "-u"),
]
LAUNCHERS = [
    pytest.param(TORCHRUN, id="torchrun"),
    pytest.param(
        MPIRUN,
        id="mpirun",
        marks=pytest.mark.skipif(shutil.which("mpirun") is None, reason="no mpirun here: .ci/mpi installs it"),
    ),
]
Make = Callable[..., Path]


def surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'shims'}", "OMP_NUM_THREADS": "1"}


def run_launched(launcher: Sequence[str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*launcher, *map(str, arguments)]
    return subprocess.run(command, env=surroundings(), capture_output=True, text=True, check=False, timeout=500)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's MMAR with five scans: the last batch of four has one, and one process none."""
    mmar = prepare_mmar(tmp_path_factory.mktemp("demo") / "mmar", "demo_mmar")
    data_list = make_scans(mmar / "data", training=5, validation=3, testing=0)
    place = {"DATA_ROOT": str(data_list.parent), "DATASET_JSON": str(data_list)}
    environment = mmar / "config/environment.json"
    environment.write_text(json.dumps({**json.loads(environment.read_text()), **place}))
    config = json.loads((mmar / "config/config_train.json").read_text())
    config["train"]["image_pipeline"]["args"]["output_batch_size"] = 2
    (mmar / "config/config_train.json").write_text(
        json.dumps({**config, "epochs": 2, "num_training_epoch_per_valid": 1})
    )
    return mmar


@pytest.fixture(scope="module")
def alone(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one process with the doubled batch."""
    folder = tmp_path_factory.mktemp("alone")
    train(demo, overrides={"MMAR_CKPT_DIR": str(folder), "train.image_pipeline.args.output_batch_size": 4})
    return folder


def assert_same_training(found: Path, expected: Path) -> None:
    ours, theirs = (json.loads((folder / "train_stats.json").read_text()) for folder in (found, expected))
    assert ours["steps_per_epoch"] == theirs["steps_per_epoch"]
    assert len(ours["epochs"]) == len(theirs["epochs"])
    for one, other in zip(ours["epochs"], theirs["epochs"], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-5)
        assert one["metrics"] == pytest.approx(other["metrics"], abs=1e-5)
        assert one["train_metrics"] == pytest.approx(other["train_metrics"], abs=1e-5)
    assert ours["best_epoch"] == theirs["best_epoch"]
    for name in ("model.pt", "final_model.pt"):
        one, other = (torch.load(folder / name, weights_only=True) for folder in (found, expected))
        assert list(one) == list(other)
        for key, value in one.items():
            # Adam makes a whole step, 5e-3, of a gradient in which only the rounding differs
            np.testing.assert_allclose(value.numpy(), other[key].numpy(), atol=2e-4, err_msg=key)
    cases = [json.loads((folder / "validation_cases.json").read_text())["cases"] for folder in (found, expected)]
    assert [case["name"] for case in cases[0]] == [case["name"] for case in cases[1]]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_train_as_one_with_the_doubled_batch(
    launcher: list[str], demo: Path, alone: Path, tmp_path: Path
) -> None:
    config = ["-c", "config/config_train.json", "-e", "config/environment.json", "--write_train_stats"]
    settings = ["--set", f"MMAR_CKPT_DIR={tmp_path}", "multi_gpu=true"]
    done = run_launched(launcher, "-m", "nvmidl.apps.train", "-m", demo, *config, *settings)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_same_training(tmp_path, alone)
    assert done.stdout.count("epoch 1/2") == 1  # one process tells
    assert done.stdout.count("Training finished") == 1
    assert json.loads((tmp_path / "train_stats.json").read_text())["processes"] == 2
    assert "2 processes, each with 1 thread " in done.stdout
    assert {file.name for file in tmp_path.iterdir() if "tfevents" not in file.name} == {
        file.name for file in alone.iterdir() if "tfevents" not in file.name
    }
    assert len(list(tmp_path.glob("*tfevents*"))) == 1


@pytest.mark.slow
def test_a_bundle_under_torchrun(demo: Path, alone: Path, tmp_path: Path) -> None:
    bundle = migrate(tmp_path / "bundle", demo, ["config/config_train.json"], overrides={"multi_gpu": True}).folder
    files = ["--config_file", bundle / "configs/train.json", "--meta_file", bundle / "configs/metadata.json"]
    done = run_launched(TORCHRUN, "-m", "monai.bundle", "run", *files, "--bundle_root", bundle)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_same_training(bundle / "models", alone)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_evaluate_as_one(launcher: list[str], demo: Path, alone: Path, tmp_path: Path) -> None:
    found = {}
    for name, start in (("one", [sys.executable]), ("two", launcher)):
        settings = [
            *(f"MMAR_CKPT_DIR={alone}", f"MMAR_EVAL_OUTPUT_PATH={tmp_path / name}", "do_validation=true"),
            *("DATA_LIST_KEY=training", "multi_gpu=true", "output_infer_result=true"),
        ]
        config = ["-c", "config/config_validation.json", "-e", "config/environment.json"]
        done = run_launched(start, "-m", "nvmidl.apps.evaluate", "-m", demo, *config, "--set", *settings)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        found[name] = json.loads((tmp_path / name / "evaluate_stats.json").read_text())
    assert found["two"]["processes"] == 2
    assert found["two"]["metrics"] == pytest.approx(found["one"]["metrics"], abs=1e-9)
    one, two = ([(case["name"], case["metrics"]) for case in found[name]["cases"]] for name in ("one", "two"))
    assert one == two
    files = [{str(file.relative_to(tmp_path / name)) for file in (tmp_path / name).rglob("*")} for name in found]
    assert files[0] == files[1]
    for file in (tmp_path / "one").glob("*_results.txt"):
        assert (tmp_path / "two" / file.name).read_text() == file.read_text()


@pytest.mark.slow
def test_two_processes_leave_out_what_they_cannot_read(demo: Path, alone: Path, tmp_path: Path) -> None:
    environment = json.loads((demo / "config/environment.json").read_text())
    scans = shutil.copytree(environment["DATA_ROOT"], tmp_path / "scans")
    data_list = scans / Path(environment["DATASET_JSON"]).name
    listed = json.loads(data_list.read_text())
    torn = [scans / listed["validation"][1]["image"], scans / listed["training"][1]["image"]]
    for file in torn:
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    data = [f"DATA_ROOT={scans}", f"DATASET_JSON={data_list}", "on_bad_item=skip"]

    trained = {"one": ["train.image_pipeline.args.output_batch_size=4"], "two": ["multi_gpu=true"]}
    for name, more in trained.items():
        start = [sys.executable] if name == "one" else TORCHRUN
        settings = ["--set", f"MMAR_CKPT_DIR={tmp_path / name}", *data, *more]
        done = run_launched(start, "-m", "nvmidl.apps.train", "-m", demo, *settings)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_same_training(tmp_path / "two", tmp_path / "one")
    found = [json.loads((tmp_path / name / "train_stats.json").read_text()) for name in trained]
    skipped = [{(one["section"], one["files"]): one["times"] for one in stats["skipped"]} for stats in found]
    assert skipped[0] == skipped[1]
    assert {section for section, _ in skipped[0]} == {"train", "validate"}

    for name, start in (("one", [sys.executable]), ("two", TORCHRUN)):
        out = tmp_path / f"{name}_evaluated"
        settings = [f"MMAR_CKPT_DIR={alone}", f"MMAR_EVAL_OUTPUT_PATH={out}", "do_validation=true", *data]
        settings += ["DATA_LIST_KEY=training", "multi_gpu=true"]
        config = ["-c", "config/config_validation.json"]
        done = run_launched(start, "-m", "nvmidl.apps.evaluate", "-m", demo, *config, "--set", *settings)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    one, two = (json.loads((tmp_path / f"{name}_evaluated/evaluate_stats.json").read_text()) for name in trained)
    assert len(one["skipped"]) == 1
    assert two["skipped"] == one["skipped"]
    assert two["metrics"] == pytest.approx(one["metrics"], abs=1e-9)
    assert [case["name"] for case in two["cases"]] == [case["name"] for case in one["cases"]]


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_scan_that_one_process_cannot_read_ends_all(launcher: list[str], small_mmar: Make, tmp_path: Path) -> None:
    mmar = small_mmar(lambda config: config["train"]["image_pipeline"]["args"].update(output_batch_size=1))
    data = json.loads((mmar / "config/environment.json").read_text())["DATA_ROOT"]
    scans = shutil.copytree(data, tmp_path / "scans")
    torn = scans / "case3_image.nii.gz"
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    settings = [f"DATA_ROOT={scans}", f"DATASET_JSON={scans / 'dataset.json'}", "multi_gpu=true"]
    command = ["-m", "nvmidl.apps.train", "-m", mmar, "-c", "config/config_train.json", "--set", *settings]
    for _ in range(5 if launcher == MPIRUN else 1):
        started = time.perf_counter()
        done = run_launched(launcher, *command)
        told = done.stdout + done.stderr
        assert done.returncode != 0
        assert told.count("case3_image.nii.gz' cannot be read: the file is cut off") == 1, told[-3000:]
        assert "Connection closed" not in told
        assert "Aborted" not in told
        assert "defect of clara_compat" not in told
        assert time.perf_counter() - started < 200  # of which most is the start; far below any time limit


@pytest.mark.slow
def test_two_processes_stop_by_a_signal_and_go_on(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=8))
    whole, part = mmar / "whole", mmar / "part"
    command = [*TORCHRUN, "-m", "nvmidl.apps.train", "-m", str(mmar), "-c", "config/config_train.json"]
    assert run_launched(command, "--set", "multi_gpu=true", f"MMAR_CKPT_DIR={whole}").returncode == 0

    settings = ["--set", "multi_gpu=true", f"MMAR_CKPT_DIR={part}"]
    started = subprocess.Popen(
        [*command, *settings], env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert started.stdout is not None
    for line in started.stdout:
        if "epoch 2/8" in line:
            started.terminate()
            break
    told = started.communicate(timeout=300)[0]
    assert told.count("checkpoint.pt is written: go on with the same command and --resume") == 1, told
    assert not (part / "final_model.pt").exists()
    assert len(torch.load(part / "checkpoint.pt", weights_only=True)["processes"]) == 2

    resumed = run_launched(command, "--resume", *settings)
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    one, other = (torch.load(folder / "final_model.pt", weights_only=True) for folder in (part, whole))
    assert all(torch.equal(one[name], other[name]) for name in other)
    epochs = [json.loads((folder / "train_stats.json").read_text())["epochs"] for folder in (part, whole)]
    for record in (*epochs[0], *epochs[1]):
        record.pop("seconds")
        record.pop("validation_seconds")
    assert epochs[0] == epochs[1]


@pytest.mark.slow
def test_seeds_that_are_drawn_are_the_same_for_all(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config.pop("determinism"))
    command = ["-m", "nvmidl.apps.train", "-m", mmar, "-c", "config/config_train.json"]
    done = run_launched(TORCHRUN, *command, "--set", "multi_gpu=true", "accelerate=off")
    assert done.returncode == 0, done.stderr[-3000:]
    shared = json.loads((mmar / "models/train_stats.json").read_text())
    drawn = shared["seeds"]
    again = {
        "python_seed": str(drawn["python"]),
        "random_seed": drawn["python"],
        "numpy_seed": drawn["data"],
        "tf_seed": drawn["torch"],
    }
    alone = train(
        mmar,
        overrides={
            "determinism": again,
            "train.image_pipeline.args.output_batch_size": 4,
            "MMAR_CKPT_DIR": str(mmar / "alone"),
        },
    )
    assert [one["loss"] for one in shared["epochs"]] == pytest.approx(
        [one["loss"] for one in alone.stats["epochs"]], abs=1e-5
    )


def workflow(mmar: Path, **overrides: Any) -> Any:
    return load_train_workflow(Path("config/config_train.json"), mmar=mmar, overrides=overrides)


@pytest.fixture
def as_second(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)


def test_a_launcher_without_multi_gpu(small_mmar: Make, as_second: None) -> None:
    with pytest.raises(
        ClaraError, match=r"multi_gpu: torchrun started 2 processes, but multi_gpu is false: each would"
    ):
        check_launch(workflow(small_mmar()))
    check_launch(workflow(small_mmar(name="other"), multi_gpu=True))


def test_multi_gpu_without_a_launcher(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    given = workflow(small_mmar(), multi_gpu=True)
    check_launch(given)
    [notice] = launch_notices(given, "train")
    assert "torchrun --nproc_per_node 2 -m nvmidl.apps.train ... --set multi_gpu=true" in str(notice)
    assert "mpirun -np 2 -H localhost:2 -bind-to none -map-by slot python -u -m nvmidl.apps.train" in str(notice)
    assert "--allow-run-as-root" in str(notice)
    monkeypatch.setattr(torch, "cuda", SimpleNamespace(is_available=lambda: True, device_count=lambda: 8))
    assert "--nproc_per_node 8" in str(*launch_notices(given, "evaluate"))
    assert list(launch_notices(workflow(small_mmar(name="other")), "train")) == []


def test_launched_runs_need_no_notice(small_mmar: Make, as_second: None) -> None:
    assert list(launch_notices(workflow(small_mmar(), multi_gpu=True), "train")) == []


def test_one_process_runs_alone() -> None:
    assert on_all_processes(lambda number: number + 1)(1) == 2
    assert not torch.distributed.is_initialized()


def test_one_process_trains_as_ever_with_multi_gpu(small_mmar: Make) -> None:
    results = [train(small_mmar(name=str(multi)), overrides={"multi_gpu": multi}) for multi in (False, True)]
    one, other = (result.network.state_dict() for result in results)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert "one process was started, which runs alone" in str(results[1].stats["warnings"])
