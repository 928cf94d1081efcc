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

__all__ = ["bring_files", "bring_scripts", "bring_weights", "new_folder"]


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

    A config may come from a stranger: what a link leads to outside the MMAR, and what a path with ``..`` names, stays
    where it is.

    Args:
        configs: of the bundle.
        mmar: folder of the MMAR.
        folder: of the bundle.
        outputs: folders of the MMAR with results of runs, which stay there.

    Returns:
        The copied files, as they lie below both folders.
    """
    copied = []
    for below in sorted(set(_named_below(list(configs)))):
        source = mmar / below
        if ".." in Path(below).parts or not source.is_file() or any(source.is_relative_to(one) for one in outputs):
            continue
        if not source.resolve().is_relative_to(mmar.resolve()):
            continue
        target = folder / below
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        copied.append(below)
    return copied


def _named_below(value: Any) -> Iterator[str]:
    """Find the paths that start from the bundle's root."""
    if isinstance(value, str):
        if (below := path_below("bundle_root", value)) is not None and below.strip("/"):
            yield below.lstrip("/")
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _named_below(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named_below(item)
