"""The folder of a bundle: written whole, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clara_compat.common.weight_files import is_tensorflow, prefix_of
from clara_compat.errors import ClaraError
from clara_compat.translate.places import path_below

__all__ = ["bring_files", "bring_scripts", "bring_weights", "comes_along", "left_behind", "licence_of", "new_folder"]

_ROOT = "bundle_root"
_OF_THE_BUNDLE = frozenset({"eval", "input", "models", "predictions", "scripts"})
"""Folders of a bundle that its configs name, whatever the MMAR has by these names."""
_LICENCES = ("LICENSE", "LICENSE.txt", "LICENCE", "license.txt", "docs/license.txt")
_LONGEST_LICENCE = 2**20


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to fill; at the end of the block it becomes ``folder``, after an error nothing is left.

    Raises:
        ClaraError: ``folder`` exists and is not empty, or cannot be made.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if os.path.lexists(folder):
        raise ClaraError(f"'{folder}' exists already: name a new folder for the bundle with -o, nothing is overwritten")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        filling = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise ClaraError(f"the bundle '{folder}' cannot be written: {error.strerror}; name another with -o") from error
    try:
        filling.chmod(0o755)
        yield filling
        filling.rename(folder)
    except BaseException:
        shutil.rmtree(filling, ignore_errors=True)
        raise


def bring_weights(weights: Mapping[str, Path], folder: Path) -> None:
    """Copy files of weights, of a TensorFlow checkpoint all its files.

    Args:
        weights: the files by their places below ``folder``; those of a TensorFlow checkpoint by its index.
        folder: where they go; made when missing.

    Raises:
        ClaraError: one of them is none: an MMAR may come from a stranger, and what it calls weights may be a link to
            anything.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for below, file in weights.items():
        if not is_tensorflow(file) and not zipfile.is_zipfile(file):
            raise ClaraError(f"'{file}' is no file of weights that torch wrote: it does not go into a bundle")
        target = folder / below
        target.parent.mkdir(parents=True, exist_ok=True)
        for part in sorted(file.parent.glob(f"{prefix_of(file).name}.*")) if is_tensorflow(file) else [file]:
            shutil.copyfile(part, target.with_name(part.name))


def bring_scripts(files: Mapping[Path, Path], folder: Path) -> None:
    """Copy the user's code.

    Args:
        files: by their paths below ``folder``.
        folder: where they go; made when there are any.
    """
    for below, file in files.items():
        target = folder / below
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def bring_files(
    configs: Sequence[Mapping[str, Any]], mmar: Path, folder: Path, *, outputs: Sequence[Path]
) -> list[str]:
    """Copy the files of the MMAR that configs name, to the same places in the bundle.

    Args:
        configs: of the bundle.
        mmar: folder of the MMAR.
        folder: of the bundle.
        outputs: folders of the MMAR with results of runs, which stay there.

    Returns:
        The copied files, as they lie below both folders.
    """
    copied = [below for below in _named_below(configs) if comes_along(mmar / below, mmar, outputs)]
    for below in copied:
        target = folder / below
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(mmar / below, target)
    return copied


def left_behind(configs: Sequence[Mapping[str, Any]], mmar: Path, *, outputs: Sequence[Path]) -> list[str]:
    """Return the files and folders of the MMAR that configs name and :func:`bring_files` does not copy, but results."""
    return [
        below
        for below in _named_below(configs)
        if _exists(mmar / below)
        and Path(below).parts[0] not in _OF_THE_BUNDLE
        and not _is_result(mmar / below, outputs)
        and not comes_along(mmar / below, mmar, outputs)
    ]


def comes_along(file: Path, mmar: Path, outputs: Sequence[Path]) -> bool:
    """Whether a file goes into the bundle.

    A config may come from a stranger: what a link leads to outside the MMAR, and what a path with ``..`` names, stays
    where it is.

    Args:
        file: its path.
        mmar: folder of the MMAR.
        outputs: folders of the MMAR with results of runs, which stay there.
    """
    return (
        file.is_file()
        and ".." not in file.parts
        and not _is_result(file, outputs)
        and file.resolve().is_relative_to(mmar.resolve())
    )


def licence_of(mmar: Path) -> str:
    """Return the text of the MMAR's licence; empty where it has none."""
    for file in (mmar / name for name in _LICENCES):
        if comes_along(file, mmar, ()) and file.stat().st_size <= _LONGEST_LICENCE:
            return file.read_text(encoding="utf-8", errors="replace")
    return ""


def _is_result(path: Path, outputs: Sequence[Path]) -> bool:
    return any(path.is_relative_to(one) for one in outputs)


def _exists(path: Path) -> bool:
    """Whether there is a file or something in a folder."""
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def _named_below(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the paths in configs that start from the bundle's root, below it."""
    found = (path_below(_ROOT, text) for text in _texts(list(configs)))
    return sorted({below for rest in found if rest is not None and (below := rest.strip("/"))})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)
