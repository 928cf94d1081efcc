"""What must be true of every case: success, or an error that the user can mend, at once, and nothing else happens."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from clara_compat.config.problems import ConfigErrors, Notice
from clara_compat.errors import ClaraError

__all__ = ["LIMIT", "TooLongError", "assert_bundle", "assert_catalogued", "assert_notice", "assert_told", "watched"]

LIMIT = 5
"""Seconds of the processor that a case may take: a busy machine is no failure."""
_WAITS = 60
"""Seconds that it may take in all: what waits for a pipe takes nothing of the processor."""
_LONGEST = 4_100
"""Characters of a sentence with its address; each is cut at 2,000."""

_WORDS = (
    # a traceback, or what Python says of an exception or object
    r"Traceback \(most",
    r'File ".*", line \d',
    r" object at 0x",
    r"<(class|function|module|built-in|method) ",
    r"\b(Key|Type|Value|Attribute|Index|Recursion|Overflow|Memory|Unicode\w*|JSONDecode|Validation|OS)Error\b",
    r"\bZeroDivision|\bNoneType\b|\[Errno",
    r"unhashable|unsupported operand|has no attribute '|not subscriptable|is not iterable|not callable",
    r"unexpected keyword|positional argument|maximum recursion|invalid literal for|could not convert",
    r"cannot convert|codec can't|surrogates not|embedded null|set_int_max_str_digits|Exceeds the limit",
    r"too large to convert|result too large|cannot be interpreted|must be real number|list indices must",
    r"out of range for|not supported between|expected str, bytes|takes no arguments",
    # what pydantic and typing say
    r"validation errors? for|pydantic|\[type=|Input should|further information|errors\.pydantic",
    r"typing\.|Optional\[|Union\[|Literal\[|\blist\[|\btuple\[|\bdict\[|ForwardRef",
)
"""Parts of a message that tell a programmer something, and not the user."""
_FORBIDDEN = re.compile("|".join(_WORDS))

_PLACES = re.compile(r"--set\b|MMAR_[A-Z_]+|DATA_[A-Z_]+|DATASET_JSON|PRETRAIN_WEIGHTS_FILE|\.json|\.config\b|/")
"""Where a sentence without an address has its place: an option, a variable, a file."""


def assert_catalogued(error: BaseException) -> None:
    """Assert that an error is one the user can mend: a sentence with its place, and nothing of our insides."""
    assert isinstance(error, ClaraError), f"{type(error).__name__}: {error}"
    for one in error.errors if isinstance(error, ConfigErrors) else [error]:
        assert not isinstance(one, ConfigErrors)
        assert one.message.strip(), "an error without a word"
        assert one.address is not None or _PLACES.search(one.message), f"no place: {one}"
        assert_told(str(one))


def assert_notice(notice: Notice) -> None:
    """Assert the same of what is odd and harmless."""
    assert notice.text.strip()
    assert_told(str(notice))


def assert_told(text: str) -> None:
    """Assert of a sentence for users that it is short, printable, and free of what only a programmer understands."""
    assert len(text) <= _LONGEST, f"{len(text)} characters: {text[:200]}"
    found = _FORBIDDEN.search(text)
    assert found is None, f"{found[0]!r} in: {text}"
    odd = next((one for one in text if unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t"), None)
    assert odd is None, f"{odd!r} in: {text!r}"
    assert str(text).encode().decode() == text


def assert_bundle(config: Any) -> None:
    """Assert that what a workflow became is plain JSON that MONAI reads, with entries of ours and of MONAI only."""
    from monai.bundle import ConfigParser

    plain = json.loads(json.dumps(config, allow_nan=False))
    assert plain == config
    for key, text in _texts(plain):
        if key == "_target_":
            assert re.match(r"(clara_compat|monai|torch|ignite)\.|[A-Za-z]\w*$", text), text
        elif "canary" in text and text.startswith("$"):
            nodes = ast.walk(ast.parse(text[1:]))
            called = [ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)]
            assert set(called) <= {"float"}, text
        elif text.startswith("%"):
            raise AssertionError(f"a file is read: {text}")
    parser = ConfigParser(plain)
    parser.parse()


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


_KEPT = re.compile(r"/(__pycache__|torchinductor_\w+|matplotlib)(/|$)")
"""Folders in which Python and libraries keep what they have made once."""


class TooLongError(BaseException):
    """A case took longer than it may; no handler of the library takes it for something else."""


class _Watch:
    """What Python does while a case runs; an audit hook, once set, cannot be removed."""

    _RUNS = ("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen")
    _REACHES = ("socket.connect", "socket.getaddrinfo", "urllib.Request", "webbrowser.open")
    _CHANGES = ("os.mkdir", "os.rmdir", "os.remove", "os.truncate", "os.chmod", "os.chown", "os.symlink", "os.link")

    def __init__(self) -> None:
        self.folders: tuple[str, ...] = ()
        self.code: str = ""
        self.seen: list[str] = []
        self.on = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if isinstance(flags, int) else "w" in str(mode)
            if writes and isinstance(path, (str, bytes)) and not _KEPT.search(os.fsdecode(path)):
                self._inside(event, path)
        elif event in self._CHANGES or event in ("os.rename", "shutil.move", "shutil.rmtree"):
            if not isinstance(arguments[0], int) and not _KEPT.search(os.fsdecode(arguments[0])):
                self._inside(event, arguments[1] if event == "os.symlink" else arguments[0])
            if event == "os.rename" and not _KEPT.search(os.fsdecode(arguments[1])):
                self._inside(event, arguments[1])
        elif event in self._RUNS or event in self._REACHES:
            self.seen.append(f"{event}{arguments!r:.200}")
        elif event == "exec" and isinstance(arguments[0], CodeType) and self.code:
            code = arguments[0]
            if code.co_filename.startswith(self.code) or any("canary" in str(one) for one in code.co_consts):
                self.seen.append(f"code of {code.co_filename} is run: {code.co_name} {code.co_consts!r:.200}")

    def _inside(self, event: str, path: str | bytes | os.PathLike[str]) -> None:
        self.on = False
        try:
            whole = Path.cwd() / os.fsdecode(path)
            real = str(whole) if str(whole) in self.folders else os.path.realpath(whole.parent)
        finally:
            self.on = True
        if not any(real == folder or real.startswith(folder + os.sep) for folder in self.folders):
            self.seen.append(f"{event} {os.fsdecode(path)}")


_watch = _Watch()


@contextmanager
def watched(writable: Path, stranger: Path | None = None, limit: float = LIMIT) -> Iterator[None]:
    """Assert of a block that it ends in time, starts no process, reaches no network, and writes below a folder only.

    Args:
        writable: the folder.
        stranger: folder of code that is not run; None where running it is the point.
        limit: seconds.
    """

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooLongError(f"more than {limit} seconds")

    clocks = ((signal.SIGPROF, signal.ITIMER_PROF, limit), (signal.SIGALRM, signal.ITIMER_REAL, max(_WAITS, limit)))
    before = [signal.signal(number, ring) for number, _, _ in clocks]
    _watch.folders = (os.path.realpath(writable), "/dev")
    _watch.code = "" if stranger is None else str(stranger)
    _watch.seen.clear()
    for _, timer, seconds in clocks:
        signal.setitimer(timer, seconds)
    _watch.on = True
    try:
        yield
    finally:
        _watch.on = False
        for (number, timer, _), handler in zip(clocks, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(number, handler)
    assert not _watch.seen, _watch.seen[:3]
