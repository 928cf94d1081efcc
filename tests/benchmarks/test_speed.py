"""What ``benchmarks/speed.py`` chooses, how it takes turns, and what it writes down."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .conftest import BENCHMARKS


@pytest.fixture
def speed() -> ModuleType:
    import speed

    return speed


@pytest.mark.parametrize(
    ("arguments", "gpu", "chosen"),
    [
        ([], None, {"device": "cpu", "network": "unet", "size": 64, "batch": 1, "steps": 3, "rounds": 4, "workers": 0}),
        (["--quick"], None, {"network": "demo", "size": 32, "steps": 6, "rounds": 3, "starts": 1}),
        (["--quick", "--size", "32", "--steps", "2"], None, {"network": "demo", "size": 32, "steps": 2}),
        ([], "NVIDIA H100", {"device": "cuda", "batch": 4, "steps": 32, "workers": 4, "starts": 2}),
        (["--device", "cpu"], "NVIDIA H100", {"device": "cpu", "batch": 1, "workers": 0}),
        (["--data", "ready", "--workers", "0"], "NVIDIA H100", {"data": ["ready"], "workers": 0}),
    ],
)
def test_what_depends_on_the_device(
    speed: ModuleType, monkeypatch: pytest.MonkeyPatch, arguments: list[str], gpu: str | None, chosen: dict[str, Any]
) -> None:
    monkeypatch.setattr(speed, "graphics", lambda: gpu)
    found = vars(speed.choose(arguments))
    assert {name: found[name] for name in chosen} == chosen


@pytest.mark.parametrize(("bf16", "cuda", "most"), [(True, False, 0.4), (False, False, 0.75), (True, True, 0.75)])
def test_targets(speed: ModuleType, bf16: bool, cuda: bool, most: float) -> None:
    assert speed.targets(bf16=bf16, cuda=cuda) == {"off": 1.02, "auto": most}


def cpuinfo(name: str, flags: str) -> str:
    return f"processor\t: 0\nvendor_id\t: X\nmodel name\t: {name}\nflags\t\t: fpu {flags}\nbogomips\t: 1\n"


@pytest.mark.parametrize(
    ("text", "name", "has_bf16"),
    [
        (
            cpuinfo("AMD EPYC 9554 64-Core Processor", "avx2 avx512_bf16 avx512f"),
            "AMD EPYC 9554 64-Core Processor",
            True,
        ),
        (cpuinfo("Intel(R) Xeon(R) Gold 6148", "avx2 avx512f"), "Intel(R) Xeon(R) Gold 6148", False),
        (
            cpuinfo("Intel(R) Xeon(R) Processor", "avx512_bf16 amx_bf16"),
            "Intel(R) Xeon(R) Processor (with avx512_bf16, amx_bf16)",
            True,
        ),
        (cpuinfo("A", "xavx512_bf16"), "A", False),
    ],
)
def test_the_processor(text: str, name: str, has_bf16: bool) -> None:
    from speed_facts import processor

    assert processor(text) == (name, has_bf16)


def test_a_machine_that_says_nothing_has_no_bf16() -> None:
    from speed_facts import processor

    found = processor("")
    assert found.name
    assert not found.has_bf16


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tool of a machine with two GPUs, the first busy at 37 percent."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        f"#!{sys.executable}\nimport sys, time\n"
        "if '-lms' not in sys.argv:\n    sys.exit(print('NVIDIA A\\nNVIDIA B'))\n"
        "while True:\n    print(37, flush=True)\n    time.sleep(0.01)\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("nvidia_smi")
def test_how_busy_a_gpu_is_while_a_side_has_its_turn() -> None:
    from speed_facts import Utilisation, graphics, machine

    assert graphics() == "NVIDIA A"
    assert machine("cuda")["graphics"] == "NVIDIA A"
    meter = Utilisation()
    started = time.perf_counter()
    while not meter.between(started, time.perf_counter()) and time.perf_counter() < started + 60:
        time.sleep(0.01)
    meter.close()
    assert set(meter.between(started, time.perf_counter())) == {37.0}
    assert meter.between(started - 2, started - 1) == []


def test_without_the_tool_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    from speed_facts import Utilisation, graphics

    monkeypatch.setenv("PATH", "")
    assert graphics() is None
    meter = Utilisation()
    meter.close()
    assert meter.readings == []


def test_a_median_of_rounds_is_not_a_ratio_of_medians(speed: ModuleType) -> None:
    """A machine that is busy in some rounds slows both sides of these rounds."""
    sides = defaultdict(list, script=[1.0, 10.0, 2.0], off=[1.1, 11.0, 2.2])
    made = [speed.Side(name, None, None, Path(), seconds=sides[name]) for name in ("off", "script")]
    assert speed.ratio(*made) == pytest.approx(1.1)


def test_turns_are_timed_from_being_told_to_the_next_end(monkeypatch: pytest.MonkeyPatch) -> None:
    import speed_sides

    clock = iter([10.0, 15.0, 100.0, 120.0])  # waiting from 15 to 100 belongs to no turn
    monkeypatch.setattr(speed_sides.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(speed_sides.time, "process_time", lambda: 0.0)
    monkeypatch.setattr(speed_sides.os, "_exit", lambda code: (_ for _ in ()).throw(SystemExit(code)))
    reports: list[str] = []
    turns = speed_sides.Turns(iter(io.StringIO("go\ngo\n").readline, ""), reports.append)
    turns.next()
    turns.next()
    with pytest.raises(SystemExit):
        turns.next()
    assert [json.loads(line) for line in reports] == [{}, {"seconds": 5.0, "cpu": 0.0}, {"seconds": 20.0, "cpu": 0.0}]


def test_a_table_is_markdown() -> None:
    from speed_results import Table

    assert Table("t", ["", "ms"], [["script", "1.0"], ["off", "10.0"]]).lines() == [
        "|        | ms   |",
        "|--------|------|",
        "| script | 1.0  |",
        "| off    | 10.0 |",
    ]


SECTION = "## Speed of training on a CPU\n\n- cores: 2\n"


@pytest.mark.parametrize(
    ("page", "result"),
    [
        ("# R\n\nText.\n", f"# R\n\nText.\n\n{SECTION}"),
        ("# R\n\n## Speed of training on a CPU\n\nold\n\n### of it\n", f"# R\n\n{SECTION}"),
        (
            "# R\n\n## Speed of training on a CPU\n\nold\n\n## Other\n\nkept\n",
            f"# R\n\n{SECTION}\n## Other\n\nkept\n",
        ),
    ],
)
def test_a_run_replaces_the_section_of_its_device(page: str, result: str) -> None:
    from speed_results import replaced_section

    assert replaced_section(page, SECTION) == result
    assert replaced_section(result, SECTION) == result


def test_a_section_says_what_its_figures_belong_to() -> None:
    from speed_facts import machine
    from speed_results import Table, as_markdown

    lines = as_markdown("cpu", machine("cpu"), [Table("t", ["a"], [["1"]])]).splitlines()
    assert lines[0] == "## Speed of training on a CPU"
    assert {line.split(":")[0] for line in lines if line.startswith("- ")} == {
        f"- {fact}" for fact in ("processor", "cores", "threads", "load", "versions", "date", "command")
    }
    assert lines[-4:] == ["### t", "", "| a |", "|---|", "| 1 |"][-4:]


def test_a_side_that_fails_is_told_with_its_words(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); import speed; "
    code += f"speed.Side.start('script', {{'folder': {str(tmp_path)!r}, 'device': 'cpu'}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(r"script ended before its time:\n(.*\n)*KeyError: 'chain'", done.stderr)


def test_what_a_side_chose_is_found_in_its_log(speed: ModuleType, tmp_path: Path) -> None:
    log = tmp_path / "auto.log"
    log.write_text("epoch 1/2: loss 1.0\n2026-11-26 00:00:00,1 - clara_compat - INFO - accelerate: bf16: 2 x faster\n")
    side = speed.Side("auto", None, None, log)
    assert side.said("accelerate: ") == "accelerate: bf16: 2 x faster"
    assert side.said("nothing") == ""


@pytest.mark.slow
def test_the_hand_written_script_trains_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import speed_dice

    from clara_compat.demo.mmar import prepare_mmar
    from clara_compat.demo.scans import make_scans

    mmar = prepare_mmar(tmp_path / "mmar", "demo_mmar")
    data_list = make_scans(mmar / "data", seed=0)
    listed = json.loads(data_list.read_text())
    data_list.write_text(json.dumps({"training": listed["training"][:2], "validation": listed["validation"][:1]}))
    monkeypatch.setattr(speed_dice, "MOST_EPOCHS", 2)
    monkeypatch.setattr(speed_dice, "LEAST_DICE", 2.0)
    speed_dice.script(mmar, data_list, tmp_path / "results")
    epochs = json.loads((tmp_path / "results" / "train_stats.json").read_text())["epochs"]
    assert [one["epoch"] for one in epochs] == [2]
    assert 0 <= epochs[0]["metrics"]["mean_dice"] <= 1


@pytest.mark.parametrize("data", ["ready", "augmented"])
def test_both_chains_give_the_same_patches(speed: ModuleType, tmp_path: Path, data: str) -> None:
    """As many and as large; what lies ready has the same values."""
    from monai.bundle import ConfigParser

    from clara_compat.config.workflow import load_train_workflow
    from clara_compat.run.check import problems_of
    from clara_compat.translate.bundle import Seeds
    from clara_compat.translate.train import translate_train

    facts = speed.facts_of(tmp_path / "facts", data, speed.choose(["--device", "cpu", "--size", "16", "--steps", "2"]))
    workflow = load_train_workflow(Path(facts["config"]))
    assert problems_of(workflow) == ([], [])
    bundle = translate_train(workflow, Seeds(0, 0, 0, 0), tmp_path).config
    parser = ConfigParser(json.loads(json.dumps(bundle)))
    legacy = [batch["image"] for batch in parser.get_parsed_content("train#dataloader")]
    chain = ConfigParser({"chain": {"_target_": "Compose", "transforms": facts["chain"]}}).get_parsed_content("chain")
    made = [chain(item) for item in facts["items"]]
    monai = [(one[0] if isinstance(one, list) else one)["image"] for one in made]
    assert [one.shape for one in legacy] == [(1, *one.shape) for one in monai] == [(1, 1, 16, 16, 16)] * 2
    if data == "ready":
        assert sorted(one.sum().item() for one in legacy) == pytest.approx(sorted(one.sum().item() for one in monai))


@pytest.mark.slow
def test_all_sides_train_in_turns() -> None:
    """Small: it is about all sides running, not about how fast they are."""
    command = [sys.executable, str(BENCHMARKS / "speed.py"), "--quick", "--device", "cpu", "--no-startup"]
    command += ["--data", "augmented", "--size", "16", "--steps", "2", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\| (\w+) +\|", done.stdout, re.MULTILINE) == ["script", "bundle", "off", "auto"]
    ratios = re.findall(r"^ratio speed_(\w+)_augmented \d+\.\d{3} target", done.stdout, re.MULTILINE)
    assert ratios == ["off", "auto"]
