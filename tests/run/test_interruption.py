"""SIGTERM and SIGINT at chosen moments of a training: nothing is lost, and the exit code says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import torch

from clara_compat import migrate, train
from tests.run.test_resume import assert_same

Make = Callable[..., Path]
ROOT = Path(__file__).parents[2]

SIGNALS = """
    import os
    import signal
    from pathlib import Path

    from ai4med.common.train_handler import TrainHandler
    from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


    def send(number, times, parent=False):
        for _ in range(times):
            os.kill(os.getpid(), number)


    class AtStep(TrainHandler):
        def __init__(self, step, number=15, event="end_iteration", times=1, group=False):
            TrainHandler.__init__(self)
            self.step, self.number, self.event, self.times, self.group = step, number, event, times, group

        def _event(self, name, ctx):
            if ctx.current_iteration == self.step and name == self.event and not Path("sent").exists():
                Path("sent").touch()
                if self.group:
                    os.killpg(os.getpgrp(), self.number)
                send(self.number, self.times)

        def start_iteration(self, ctx):
            self._event("start_iteration", ctx)

        def end_iteration(self, ctx):
            self._event("end_iteration", ctx)

        def end_epoch(self, ctx):
            self._event("end_epoch", ctx)

        def key_metric_computed(self, ctx):
            self._event("key_metric_computed", ctx)


    class AtItem(MultiFieldTransformer):
        def __init__(self, fields, item, deterministic=False, number=15):
            MultiFieldTransformer.__init__(self, fields)
            self.item, self.deterministic, self.number = item, deterministic, number
            self.seen = 0

        def transform(self, ctx):
            self.seen += 1
            if self.seen == self.item and not Path("sent").exists():
                Path("sent").touch()
                os.kill(os.getpid(), self.number)
            return ctx

        def is_deterministic(self):
            return self.deterministic
"""


def handler(**args: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["train"].update(handlers=[{"path": "signals.AtStep", "args": args}])


def item(section: str, **args: Any) -> Callable[[dict[str, Any]], None]:
    entry = {"path": "signals.AtItem", "args": {"fields": "image", **args}}
    return lambda config: config[section]["pre_transforms"].insert(3, entry)


MOMENTS: dict[str, tuple[Callable[[dict[str, Any]], None], str, int]] = {
    "in a step": (handler(step=1, event="start_iteration"), "in epoch 1 after step 1", 1),
    "after a step": (handler(step=3), "in epoch 2 after step 3", 3),
    "in the last step of an epoch": (handler(step=2), "in epoch 1 after step 2", 2),
    "after a validation": (handler(step=2, event="key_metric_computed"), "in epoch 1 after step 2", 2),
    "at the end of an epoch": (handler(step=2, event="end_epoch"), "in epoch 1 after step 2", 2),
    "while an item is made": (item("train", item=7), "in epoch 2 after step 3", 3),
    "while the second batch is made": (item("train", item=3), "in epoch 1 after step 1", 1),
    "while the first item is made": (item("train", item=1), "stopped before the first step", 0),
    "while the cache is filled": (item("train", item=3, deterministic=True), "stopped before the first step", 0),
    "in a validation": (item("validate", item=1), "in epoch 1 after step 2", 2),
}


@pytest.fixture
def signalled_mmar(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make an MMAR whose own code sends a signal, once for the working folder, which is the MMAR's."""

    def make(change: Callable[[dict[str, Any]], None], name: str = "mmar") -> Path:
        mmar = small_mmar(change, name=name)
        (mmar / "custom").mkdir()
        (mmar / "custom/signals.py").write_text(dedent(SIGNALS))
        monkeypatch.chdir(mmar)
        return mmar

    return make


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_at_any_moment(signalled_mmar: Make, moment: str, caplog: pytest.LogCaptureFixture) -> None:
    change, told, steps = MOMENTS[moment]
    whole = signalled_mmar(change, "whole")
    (whole / "sent").touch()  # no signal
    train(whole)
    mmar = signalled_mmar(change)
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)]
    with pytest.raises(SystemExit) as ended:
        train(mmar)
    assert ended.value.code == 143
    assert handlers == [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)]
    assert f"SIGTERM: stopped {told.removeprefix('stopped ')}" in caplog.text
    checkpoint = mmar / "models/checkpoint.pt"
    if steps:
        assert torch.load(checkpoint, weights_only=True)["trainer"]["iteration"] == steps
        assert "go on with the same command and --resume" in caplog.text
    else:
        assert not checkpoint.exists()
    assert not (mmar / "models/final_model.pt").exists()
    train(mmar, resume=True)
    assert_same(whole / "models", mmar / "models")


def test_two_signals_of_one_kind_are_told_apart(signalled_mmar: Make) -> None:
    mmar = signalled_mmar(handler(step=1, number=int(signal.SIGINT)))
    with pytest.raises(SystemExit) as ended:
        train(mmar)
    assert ended.value.code == 130


def test_a_notebook_gets_its_keyboard_interrupt(signalled_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    mmar = signalled_mmar(handler(step=1, number=int(signal.SIGINT)))
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with pytest.raises(KeyboardInterrupt):
        train(mmar)
    assert (mmar / "models/checkpoint.pt").exists()


def test_an_ignored_signal_stays_ignored(signalled_mmar: Make) -> None:
    mmar = signalled_mmar(handler(step=1, number=int(signal.SIGINT)))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as nohup and a shell's & do
    try:
        assert train(mmar).stats["steps"] == 4
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_leaves_signals_alone(small_mmar: Make) -> None:
    mmar, found = small_mmar(lambda config: config.update(epochs=1)), []
    thread = threading.Thread(target=lambda: found.append(train(mmar).stats["steps"]))
    thread.start()
    thread.join()
    assert found == [2]


def command(kind: str, mmar: Path) -> list[str]:
    start = {
        "cli": ["-c", "from clara_compat.cli.main import main; main()", "train"],
        "legacy": ["-m", "nvmidl.apps.train"],
    }
    return [sys.executable, "-u", *start[kind], "-m", str(mmar), "-c", "config/config_train.json"]


def run(arguments: list[str], folder: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shims")])}
    return subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300, **more
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "number", "times", "code", "told"),
    [
        ("cli", signal.SIGTERM, 1, 143, "SIGTERM: stopped in epoch 2 after step 3"),
        ("legacy", signal.SIGINT, 1, 130, "SIGINT: stopped in epoch 2 after step 3"),
        ("cli", signal.SIGTERM, 2, -15, "once more to end at once"),
        ("cli", signal.SIGINT, 2, -2, "once more to end at once"),
    ],
)
def test_exit_codes(signalled_mmar: Make, kind: str, number: int, times: int, code: int, told: str) -> None:
    mmar = signalled_mmar(handler(step=3, number=int(number), times=times))
    done = run(command(kind, mmar), mmar)
    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    done = run([*command(kind, mmar), "--resume"], mmar)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "going on from" in done.stdout
    done = run([*command(kind, mmar), "--resume"], mmar)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing to do" in done.stdout


@pytest.mark.slow
def test_a_signal_to_all_processes_of_a_job(signalled_mmar: Make) -> None:
    """As a terminal, or a scheduler, sends it: to the workers, too."""

    def change(config: dict[str, Any]) -> None:
        handler(step=3, event="start_iteration", group=True, times=0)(config)
        config["train"]["image_pipeline"]["args"]["num_workers"] = 2

    whole = signalled_mmar(change, "whole")
    (whole / "sent").touch()
    train(whole)
    mmar = signalled_mmar(change)
    done = run(command("cli", mmar), mmar, start_new_session=True)
    assert done.returncode == 143, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    train(mmar, resume=True)
    assert_same(whole / "models", mmar / "models")


@pytest.mark.slow
def test_a_bundle_goes_on(signalled_mmar: Make, tmp_path: Path) -> None:
    change = handler(step=3)
    whole = signalled_mmar(change, "whole")
    (whole / "sent").touch()
    train(whole)
    bundle = migrate(tmp_path / "bundle", signalled_mmar(change)).folder
    arguments = [sys.executable, "-m", "monai.bundle", "run", "--config_file", "configs/train.json"]
    arguments += ["--logging_file", "configs/logging.conf"]
    done = run(arguments, bundle)
    assert done.returncode == 143, done.stdout[-3000:] + done.stderr[-3000:]
    assert "go on with the same command and --resume (of a bundle: --resume true)" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    done = run([*arguments, "--resume", "true"], bundle)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_same(whole / "models", bundle / "models")
    done = run([*arguments, "--resume", "perhaps"], bundle)
    assert done.returncode != 0
    assert "resume is 'perhaps', expected true or false" in done.stdout + done.stderr
