"""No command asks the network anything or starts a program: all of them in one process of their own, watched.

The hook of a process is also that of the worker processes forked from it, so what it sees goes into a file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WATCH = """
import os, sys

log = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
watched = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.", "poplib.", "imaplib.", "subprocess.", "os.system",
           "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "webbrowser.", "pty.")


def hook(event, arguments):
    if event.startswith(watched):
        os.write(log, f"{event} {arguments!r:.300}\\n".encode("utf-8", "backslashreplace"))


sys.addaudithook(hook)
from clara_compat.cli.dataconvert import main as dataconvert
from clara_compat.cli.main import main

for line in sys.stdin:
    program, *arguments = eval(line)
    os.write(log, f"COMMAND {program} {arguments[:1]}\\n".encode())
    try:
        (dataconvert if program == "dataconvert" else main)(arguments)
    except SystemExit as end:
        if end.code:
            raise SystemExit(f"{arguments}: {end.code}")
"""

EXCEPTIONS = {
    "socket.__new__": "a socket that nobody connects or binds does nothing",
    "socket.gethostname": "TensorBoard puts the name of the machine into the name of its file; nobody is asked for it",
    "socket.bind <AF_UNIX>": "worker processes of torch hand batches over through sockets that are files",
    "socket.connect <AF_UNIX>": "the same",
    "socket.sendmsg <AF_UNIX>": "the same",
    "socket.bind <::1>": "urllib3, which MONAI imports, tries at import whether this machine has IPv6",
    "subprocess.Popen <fc-list>": "matplotlib asks fontconfig for the fonts of this machine, once; it has no setting",
}
"""Events that may be, each with its reason."""


def kind(event: str) -> str:
    """The name of an event, with what matters of its arguments."""
    name = event.partition(" ")[0]
    for mark, text in (("family=1,", "AF_UNIX"), ("('::1', 0)", "::1"), ("'fc-list'", "fc-list")):
        if mark in event and name != "socket.__new__":
            return f"{name} <{text}>"
    return name


@pytest.fixture
def complete_mmar(tmp_path: Path, small_mmar: Callable[..., Path]) -> Path:
    """An MMAR with a config for training, whose data are read by worker processes, and one for evaluation."""

    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        for section in ("train", "validate"):
            config[section]["image_pipeline"]["args"]["num_workers"] = 1

    mmar = small_mmar(change)
    fields = {"fields": ["image"]}
    evaluation = {
        "batch_size": 1,
        "DATA_LIST_KEY": "validation",
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
        "pre_transforms": [{"name": "LoadNifti", "args": fields}, {"name": "ConvertToChannelsFirst", "args": fields}],
        "post_transforms": [{"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}],
        "writers": [{"name": "WriteNifti", "args": {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}}],
    }
    (mmar / "config/config_validation.json").write_text(json.dumps(evaluation))
    return mmar


def test_no_command_asks_the_network(complete_mmar: Path, small_scans: Path, tmp_path: Path) -> None:
    mmar, training, validation = complete_mmar, "config/config_train.json", "config/config_validation.json"
    commands = [
        ("clara", "check", mmar / training, "--html", tmp_path / "check.html"),
        ("clara", "train", "-m", mmar, "--no-user-code"),
        ("clara", "evaluate", "-m", mmar, "--set", "MMAR_EVAL_OUTPUT_PATH=eval"),
        (
            "clara",
            "infer",
            small_scans / "case0_image.nii.gz",
            "-c",
            mmar / validation,
            "-m",
            mmar,
            "-o",
            tmp_path / "o",
        ),
        ("clara", "preview", mmar / training),
        ("clara", "migrate", "-m", mmar, "-c", training, validation, "-o", tmp_path / "bundle"),
        ("clara", "migrate", "--native", "-m", mmar, "-c", training, "-o", tmp_path / "native"),
        ("clara", "report", mmar / "models", "-o", tmp_path / "report.html"),
        ("clara", "export", mmar / "models", "--no-onnx"),
        ("clara", "weights", "list", mmar / "models/model.pt"),
        ("clara", "components", "losses"),
        ("dataconvert", "-d", small_scans, "-s", ".nii.gz", "-e", ".mha", "-o", tmp_path / "converted"),
    ]
    lines = "".join(repr([str(part) for part in command]) + "\n" for command in commands)
    environment = {
        **os.environ,
        "MPLCONFIGDIR": str(tmp_path / "matplotlib"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(tmp_path / "log")],
        input=lines, capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    events = (tmp_path / "log").read_text().splitlines()
    assert sum(event.startswith("COMMAND") for event in events) == len(commands)
    seen = [event for event in events if not event.startswith("COMMAND")]
    assert [event for event in seen if kind(event) not in EXCEPTIONS] == []
    assert "socket.connect <AF_UNIX>" in {kind(event) for event in seen}  # the workers are watched, too
    assert (tmp_path / "converted/case0_image.mha").is_file()


@pytest.mark.parametrize(
    ("event", "allowed"),
    [
        ("socket.connect (<socket.socket fd=3, family=1, type=1, proto=0>, '/tmp/x')", True),
        ("socket.connect (<socket.socket fd=3, family=2, type=1, proto=0>, ('192.0.2.1', 80))", False),
        ("socket.connect (<socket.socket fd=3, family=10, type=1, proto=0>, ('::1', 0))", False),
        ("socket.bind (<socket.socket fd=3, family=2, type=1, proto=0>, ('0.0.0.0', 80))", False),
        ("socket.getaddrinfo ('localhost', 80)", False),
        ("subprocess.Popen ('sh', ['sh'], None, None)", False),
    ],
)
def test_what_counts(event: str, allowed: bool) -> None:
    assert (kind(event) in EXCEPTIONS) == allowed
