"""What user code tells: ``tf.print``, ``tf.logging``; and files through ``tf.gfile``."""

from __future__ import annotations

import glob
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.registry import register, symbol

__all__: list[str] = []

_log = logging.getLogger("clara_compat.user")


def _tell(parts: Any, summarize: Any) -> None:
    graph = running()
    if graph is not None and graph.building:
        return
    _log.info("%s", " ".join(_text(part, summarize) for part in parts))


def _text(value: Any, summarize: Any) -> str:
    if not isinstance(value, torch.Tensor):
        return str(value)
    flat = value.detach().flatten().tolist()
    shown = 3 if summarize is None else len(flat) if summarize == -1 else int(summarize)
    if value.ndim == 0:
        return f"{flat[0]:.9g}" if isinstance(flat[0], float) else str(flat[0])
    return f"[{' '.join(str(one) for one in flat[:shown])}{'...' if len(flat) > shown else ''}]"


@symbol("print", note="Goes to the log.")
def tf_print(*inputs: Any, summarize: Any = None, **_: Any) -> None:
    """Tell values of every step to the log."""
    _tell(inputs, summarize)


@symbol("Print", note="Goes to the log.")
def tf_print_v1(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: Any = None,
    summarize: Any = None,
    name: str | None = None,
) -> Any:
    """Return a value as it is and tell others to the log."""
    _tell([*([message] if message else []), *data], summarize)
    return as_tensor(input_)


@symbol("keras.backend.print_tensor", note="Goes to the log.")
def print_tensor(x: Any, message: str = "") -> Any:
    """Return a value as it is and tell it to the log."""
    _tell([message, x], None)
    return x


_tensorflow = logging.getLogger("clara_compat.user.tensorflow")
for _name, _level in {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}.items():
    register(getattr(_tensorflow, "warning" if _name == "warn" else _name), f"logging.{_name}")
    if _name != "warning":
        register(_level, f"logging.{_name.upper()}")


@symbol("logging.set_verbosity", note="Clara's own log settings hold.")
def set_verbosity(v: Any = None) -> None:
    """Do nothing."""


@symbol("logging.get_verbosity")
def get_verbosity() -> int:
    """Return the level from which on messages are told."""
    return _tensorflow.getEffectiveLevel()


@symbol("logging.log")
def log(level: int, msg: str, *args: Any) -> None:
    """Tell a message."""
    _tensorflow.log(level, msg, *args)


def _made(path: Any) -> None:
    Path(path).mkdir(parents=True, exist_ok=True)


_FILES: dict[str, Callable[..., Any]] = {
    "Exists": lambda path: Path(path).exists(),
    "IsDirectory": lambda path: Path(path).is_dir(),
    "ListDirectory": lambda dirname: sorted(one.name for one in Path(dirname).iterdir()),
    "Glob": lambda pattern: sorted(glob.glob(str(pattern))),  # noqa: PTH207 -- an absolute pattern, too
    "MakeDirs": _made,
    "MkDir": lambda dirname: Path(dirname).mkdir(),
    "Remove": lambda filename: Path(filename).unlink(),
    "Copy": lambda oldpath, newpath, overwrite=False: shutil.copyfile(oldpath, newpath),
}
_NEW_NAMES = {"IsDirectory": "isdir", "ListDirectory": "listdir", "MakeDirs": "makedirs"}
for _name, _function in _FILES.items():
    register(_function, f"gfile.{_name}", f"io.gfile.{_NEW_NAMES.get(_name, _name.lower())}")


@symbol("gfile.GFile", "gfile.Open", "gfile.FastGFile", "io.gfile.GFile")
def gfile(name: Any, mode: str = "r") -> Any:
    """Open a file."""
    return Path(name).open(mode)
