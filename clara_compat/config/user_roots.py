"""Folders of user code. Where it lies: clara-3.1 facts, section 1.1."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["UserRoots", "search_roots"]


@dataclass(frozen=True)
class UserRoots:
    """Where user code may lie.

    Args:
        ordered: folders in which a module is looked up, the first hit wins.
        mmar: folder whose sub-folders are searched last, or None.
        allowed: whether user code may run at all; otherwise every path that names some is an error.
    """

    ordered: tuple[Path, ...]
    mmar: Path | None = None
    allowed: bool = True


def search_roots(
    mmar: Path | None,
    config_folder: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    allowed: bool = True,
) -> UserRoots:
    """The folders of user code, in the order they are searched; none where it may not run.

    These are PYTHONPATH, the MMAR, its custom and BYOC folders, the config's folder, and then any folder of the MMAR.
    Folders of PYTHONPATH that hold Python's own library are left out.
    """
    if not allowed:
        return UserRoots((), allowed=False)
    library = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    listed = environ.get("PYTHONPATH", "")
    entries = [Path(entry or ".") for entry in listed.split(os.pathsep)] if listed else []
    folders = [entry for entry in entries if entry.resolve() not in library]
    folders += [] if mmar is None else [mmar, mmar / "custom", mmar / "BYOC", config_folder or mmar / "config"]
    return UserRoots(tuple(dict.fromkeys(folder for folder in folders if folder.is_dir())), mmar)
