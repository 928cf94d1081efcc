"""That the oracle sees what it is there for: one that saw nothing would let every case pass."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clara_compat.errors import Address, ClaraError
from tests.fuzz.oracle import TooLongError, assert_bundle, assert_catalogued, watched


def busy() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("what", "seen"),
    [
        (lambda folder: (folder / "out").write_text(""), "open .*/out"),
        (lambda folder: (folder / "in/../out").mkdir(), "os.mkdir .*/out"),
        (lambda folder: (folder / "in/file").rename(folder / "file"), "os.rename .*/file"),
        (lambda folder: (folder / "file").unlink(missing_ok=True), "os.remove .*/file"),
        (lambda _: subprocess.run([sys.executable, "-c", ""], check=True), r"subprocess\.Popen"),
        (lambda _: socket.getaddrinfo("127.0.0.1", 80), r"socket\.getaddrinfo"),
        (lambda _: exec("canary = 'canary'"), "code of <string> is run"),
        (lambda folder: exec(compile("1", str(folder / "in/mine.py"), "exec")), r"code of .*mine\.py is run"),
    ],
)
def test_what_is_done(what: Callable[[Path], object], seen: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/file").touch()
    with pytest.raises(AssertionError, match=seen), watched(tmp_path / "in", tmp_path / "in"):
        what(tmp_path)
    with watched(tmp_path / "in", tmp_path / "in"):
        (tmp_path / "in/other").write_text("")


def test_what_takes_too_long(tmp_path: Path) -> None:
    with pytest.raises(TooLongError, match="more than 0.1 seconds"), watched(tmp_path, limit=0.1):
        busy()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("size"), "KeyError: 'size'"),
        (ClaraError(" ", Address("a.json")), "an error without a word"),
        (ClaraError("it is wrong"), "no place: it is wrong"),
        (ClaraError("KeyError: 'size'", Address("a.json")), "'KeyError' in: "),
        (ClaraError("'NoneType' object is not iterable", Address("a.json")), "'NoneType' in: "),
    ],
)
def test_what_is_said(error: Exception, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_catalogued(error)
    assert_catalogued(ClaraError("'epochs' is missing", Address("a.json")))


@pytest.mark.parametrize("config", [{"a": {"_target_": "os.system"}}, {"a": "$canary()"}, {"a": "%/etc/hostname"}])
def test_what_a_bundle_would_run(config: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        assert_bundle(config)
    assert_bundle({"a": {"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1}, "b": "$float('canary')"})
