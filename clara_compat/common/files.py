"""Files: what is at a path, and such that are either whole or not there."""

from __future__ import annotations

import io
import itertools
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from clara_compat.errors import ClaraError

__all__ = [
    "check_inside",
    "endless",
    "impossible",
    "is_empty",
    "is_file",
    "is_folder",
    "readable_json",
    "replacing",
    "save_json",
    "set_aside",
]

_LINE = 100
"""Characters of a list or mapping that is written on one line."""
_ENDLESS = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}


def endless(path: str | os.PathLike[str]) -> str | None:
    """Return what is at a path that reading may never come to the end of (``"a pipe"``, ``"a device"``), else None.

    Nothing is said of files, of folders, and of what is not there.

    Args:
        path: any path.
    """
    try:
        return _ENDLESS.get(stat.S_IFMT(Path(path).stat().st_mode))
    except (OSError, ValueError):
        return None


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is a file at a path; ``Path.is_file`` raises for a name that no file system takes.

    Args:
        path: any path.
    """
    return os.path.isfile(path)  # noqa: PTH113 -- see above


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is a folder at a path; ``Path.is_dir`` raises for a name that no file system takes.

    Args:
        path: any path.
    """
    return os.path.isdir(path)  # noqa: PTH112 -- see above


def impossible(path: str | os.PathLike[str]) -> str | None:
    """Return why nothing can ever be at a path (too long a name, a loop of links), else None.

    Args:
        path: any path.
    """
    try:
        os.stat(path)  # noqa: PTH116 -- a path is what the user wrote
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except OSError as error:
        return error.strerror
    except ValueError:
        return "it holds a character that is none"
    return None


def is_empty(path: str | os.PathLike[str]) -> bool:
    """Whether there is a file without a byte at a path.

    Args:
        path: any path.
    """
    try:
        return Path(path).stat().st_size == 0
    except OSError:
        return False


def check_inside(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Raise where links lead a file out of the folder that it is to be written to.

    A link in the place of the folder itself, or of a folder above it, is the user's own; one in the place of the file
    is replaced by the file.

    Args:
        path: the file, below ``folder``.
        folder: of all results.

    Raises:
        ClaraError: a folder in between is a link to somewhere else.
    """
    parent = Path(path).parent
    if not parent.resolve().is_relative_to(Path(folder).resolve()):
        raise ClaraError(
            f"'{parent}' leads out of the output folder '{folder}', and nothing is written there: remove it"
        )


class _Raw(io.FileIO):
    """A file that remembers why a write failed.

    Libraries tell it in words of their own: ``torch.save`` raises a ``RuntimeError`` of the position it is at.
    """

    failed: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.failed = error
            raise


@contextmanager
def replacing(path: Path, kept: Path | None = None) -> Iterator[IO[bytes]]:
    """Open a temporary file beside ``path`` for writing; at the end of the block it takes the place of ``path``.

    A crash or an exception leaves the old file, or none: never a part of the new one. Folders are made as needed.

    Args:
        path: the file.
        kept: where the old file goes, in the same folder. Between the two renames there is only this one.

    Raises:
        OSError: the file cannot be written, whatever the block made of that; it names ``path``.
    """
    temporary: Path | None = None
    raw: _Raw | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        raw = _Raw(handle, "wb")
        with io.BufferedWriter(raw) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        if kept is not None and path.exists():
            path.replace(kept)
        temporary.replace(path)
        _write_names(path.parent)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        failed = raw.failed if raw is not None and raw.failed is not None else error
        if isinstance(failed, OSError) and failed.errno is not None and failed.filename in (None, str(temporary)):
            raise OSError(failed.errno, failed.strerror, str(path)) from error
        raise


def _write_names(folder: Path) -> None:
    """Have the names of a folder on the disk, too, where the system can: a renamed file is not lost with the power."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def set_aside(paths: Sequence[Path], folder: Path) -> Path:
    """Move files and folders into ``previous_N``, the first that is not there yet.

    Args:
        paths: what is moved.
        folder: of the new folder.

    Returns:
        the new folder.
    """
    numbered = (folder / f"previous_{number}" for number in itertools.count(1))
    kept = next(one for one in numbered if not one.exists())
    kept.mkdir()
    for path in paths:
        path.rename(kept / path.name)
    return kept


def save_json(content: Any, path: Path) -> None:
    """Write ``content`` as JSON for readers, whole or not at all.

    Args:
        content: what JSON can hold.
        path: the file; its folder is made when missing.
    """
    with replacing(path) as stream:
        stream.write((readable_json(content) + "\n").encode())


def readable_json(content: Any, indent: str = "") -> str:
    """Return ``content`` as indented JSON with short lists of values, such as sizes, on one line.

    Args:
        content: what JSON can hold.
        indent: what lines below the first begin with.
    """
    if isinstance(content, (list, tuple)):
        parts, brackets = [readable_json(item, indent + "  ") for item in content], "[]"
        short = not any(isinstance(item, (list, tuple, dict)) and item for item in content)
    elif isinstance(content, dict):
        parts = [f"{json.dumps(str(key))}: {readable_json(item, indent + '  ')}" for key, item in content.items()]
        brackets, short = "{}", not content
    else:
        return json.dumps(content)
    line = brackets[0] + ", ".join(parts) + brackets[1]
    if short and len(line) <= _LINE:
        return line
    inner = f"\n{indent}  "
    return f"{brackets[0]}{inner}" + f",{inner}".join(parts) + f"\n{indent}{brackets[1]}"
