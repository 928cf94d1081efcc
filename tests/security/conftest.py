"""Commands on configs that mean harm: watched, and with a time limit."""

from __future__ import annotations

import ast
import copy
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from clara_compat.cli.main import main

LIMIT = 20
"""Seconds a command may take."""

_FORBIDDEN = (
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen"),
    *("socket.connect", "socket.getaddrinfo", "urllib.Request", "webbrowser.open"),
)


class _Watch:
    """What Python does that no command on a stranger's config may do; a hook, once set, cannot be removed."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event in _FORBIDDEN:
            self.seen.append(f"{event}{arguments!r:.200}")
        elif event == "compile" and isinstance(arguments[0], (str, bytes)) and len(arguments[0]) < 100_000:
            source = arguments[0] if isinstance(arguments[0], str) else arguments[0].decode("utf-8", "replace")
            if "canary" in source:
                self.on = False
                try:
                    if any(isinstance(node, ast.Call) for node in ast.walk(ast.parse(source.strip()))):
                        self.seen.append(f"a stranger's text is compiled: {source:.200}")
                except SyntaxError:
                    pass
                finally:
                    self.on = True


_watch = _Watch()


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Args:
        code: its exit code.
        text: all that it printed.
    """

    code: int
    text: str


Run = Callable[..., Outcome]


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that the payloads would make."""
    return tmp_path / "canary"


@pytest.fixture
def run(canary: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run a command in this process: nothing of the config is executed, nothing hangs, no traceback is shown."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"the command takes more than {LIMIT} seconds")

    def command(*arguments: object) -> Outcome:
        capsys.readouterr()
        _watch.seen.clear()
        signal.alarm(LIMIT)
        _watch.on = True
        try:
            with pytest.raises(SystemExit) as end:
                main([str(one) for one in arguments])
        finally:
            _watch.on = False
            signal.alarm(0)
        printed = capsys.readouterr()
        text = printed.out + printed.err
        assert not _watch.seen
        assert not canary.exists()
        assert "Traceback" not in text
        assert end.value.code in (0, 2), text
        return Outcome(end.value.code, text)

    before = signal.signal(signal.SIGALRM, ring)
    yield command
    signal.signal(signal.SIGALRM, before)


Make = Callable[..., Path]


@pytest.fixture
def hostile_mmar(tmp_path: Path, small_mmar: Make) -> Make:
    """Make an MMAR whose training config is what ``change`` makes of the small one, or these ``raw`` bytes."""
    made = 0

    def make(change: Callable[[dict[str, Any]], Any] | None = None, raw: bytes | None = None) -> Path:
        nonlocal made
        made += 1
        mmar = small_mmar(change, name=f"mmar{made}")
        if raw is not None:
            (mmar / "config" / "config_train.json").write_bytes(raw)
        return mmar

    return make


Places = Callable[[Any], list[tuple[str | int, ...]]]


@pytest.fixture
def places() -> Places:
    """List the paths of all values of a document that are neither lists nor objects."""

    def below(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
        if not isinstance(value, (dict, list)):
            yield path
            return
        for part, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from below(item, (*path, part))

    return lambda document: list(below(document))


@pytest.fixture
def put() -> Callable[[Any, tuple[str | int, ...], Any], Any]:
    """Return a copy of a document with a value at a path."""

    def copied(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
        changed = copy.deepcopy(document)
        place = changed
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        return changed

    return copied
