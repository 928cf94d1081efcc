"""The MMARs that ship with the package, and a copy of one to work in."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from clara_compat.errors import ClaraError

__all__ = ["demo_mmar_folder", "prepare_mmar"]

logger = logging.getLogger("clara_compat")

_MARK = ".made_by_clara_compat_demo"
_MARK_TEXT = "The clara-compat demo may overwrite this folder.\n"
_NOT_COPIED = ("models", "eval", "data", "__pycache__")  # what working in the MMAR leaves there


def demo_mmar_folder(name: str = "demo_mmar") -> Path:
    """Return the folder of an MMAR that ships with the package, in an installed wheel or in the source tree.

    Raises:
        ClaraError: neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "resources" / name, package.parent / "configs" / name):
        if folder.is_dir():
            return folder
    raise ClaraError(f"the demo's MMAR is missing from the installation in '{package}': install clara-compat again")


def prepare_mmar(folder: Path, name: str = "demo_mmar") -> Path:
    """Copy a demo's MMAR into ``folder`` and return its absolute path; only an own or empty folder is filled.

    A file that was changed there since the last time is kept beside the new one, as ``NAME.bak``.

    Args:
        folder: made when missing.
        name: of the MMAR.

    Raises:
        ClaraError: the folder holds files that this demo did not make, or it is a file.
    """
    folder = folder.expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise ClaraError(f"'{folder}' is a file, expected a folder for the demo: name another one")
    mark = folder / _MARK
    if mark.is_file() and _made_from(mark) != name:
        raise ClaraError(f"'{folder}' holds the demo of another task: name a new or an empty folder")
    if folder.is_dir() and any(folder.iterdir()) and not mark.is_file():
        raise ClaraError(f"'{folder}' holds files that the demo did not make: name a new or an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(f"{_MARK_TEXT}{name}\n", encoding="utf-8")
        shutil.copytree(
            demo_mmar_folder(name),
            folder,
            ignore=shutil.ignore_patterns(*_NOT_COPIED),
            copy_function=_copied,
            dirs_exist_ok=True,
        )
        for command in folder.glob("commands/*.sh"):
            command.chmod(command.stat().st_mode | 0o755)  # a wheel does not keep it
    except OSError as error:
        raise ClaraError(f"the demo cannot write into '{folder}': {error.strerror}; name another folder") from error
    return folder


def _copied(source: str, target: str) -> str:
    """Copy a file; what somebody made of the one that is there is kept beside it."""
    there = Path(target)
    if there.is_file() and there.read_bytes() != Path(source).read_bytes():
        kept = there.replace(f"{target}.bak")
        logger.warning("%s is the demo's again; what it was is kept in %s", there, kept.name)
    return str(shutil.copy2(source, target))


def _made_from(mark: Path) -> str:
    """Return the name of the MMAR that a folder was filled with; the first demo had no name in its mark."""
    return mark.read_text(encoding="utf-8").removeprefix(_MARK_TEXT).strip() or "demo_mmar"
