"""Where the results of an evaluated input go."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from clara_compat.common.files import check_inside
from clara_compat.errors import ClaraError

__all__ = ["ResultFiles", "case_name"]

_ENDING = re.compile(r"(\.nii|\.img|\.hdr)?\.gz$|\.(nii|img|hdr|mha|mhd|nrrd|nhdr|dcm|png|jpe?g|npy)$", re.IGNORECASE)


def case_name(input_file_name: Any) -> str:
    """Return the name of a case: its file's (its folder's, its first file's) without folder and ending.

    Args:
        input_file_name: path as text, bytes or path-like, or a list of them.

    Raises:
        ClaraError: nothing is left.
    """
    first = input_file_name[0] if isinstance(input_file_name, (list, tuple)) and input_file_name else input_file_name
    name = ""
    if isinstance(first, (str, bytes, os.PathLike)):
        name = _ENDING.sub("", Path(os.path.normpath(str(os.fsdecode(first)))).name)
    if name.strip(". /\\") == "" or "\0" in name:
        raise ClaraError(f"the results of {input_file_name!r} have no name: expected the path of a file")
    return name


class ResultFiles:
    """The files ``<folder>/<case>/<case>_<field><ending>``; the layout inside the case's folder is assumed.

    Source: clara-3.1-engine facts, section 2.10 (one sub-folder per input).

    Args:
        folder: of all results.
        field: what is written.
        ending: of the files, with its dot.

    Raises:
        ClaraError: the field's name cannot stand in the name of a file.
    """

    def __init__(self, folder: str | os.PathLike[str], field: str, ending: str) -> None:
        if not field or any(character in field for character in "/\\\0"):
            raise ClaraError(f"argument 'field' is {field!r}, expected a name without slashes, which the files get")
        self.folder = Path(folder)
        self.field = field
        self.ending = ending
        self._claimed: dict[Path, str] = {}

    def path(self, input_file_name: Any) -> Path:
        """Return where the result of an input goes.

        Args:
            input_file_name: path of the input, or the paths of its files.

        Raises:
            ClaraError: the input has no name.
        """
        case = case_name(input_file_name)
        return self.folder / case / f"{case}_{self.field}{self.ending}"

    @property
    def claimed(self) -> dict[Path, str]:
        """The files that were claimed, and by which input."""
        return self._claimed

    def claim(self, input_file_name: Any) -> Path:
        """Return where the result of an input goes, for this input alone.

        Args:
            input_file_name: path of the input, or the paths of its files.

        Raises:
            ClaraError: the result of another input of the same name went there before, or a link leads elsewhere.
        """
        path = self.path(input_file_name)
        check_inside(path, self.folder)
        return self.claim_path(path, input_file_name)

    def claim_path(self, path: Path, input_file_name: Any) -> Path:
        """Claim a file for an input alone, and return it.

        Args:
            path: the file.
            input_file_name: path of the input, or the paths of its files.

        Raises:
            ClaraError: it is another input's.
        """
        owner = self._claimed.setdefault(path, str(input_file_name))
        if owner != str(input_file_name):
            raise ClaraError(
                f"the results of '{input_file_name}' would overwrite those of '{owner}', both are '{path}': give the "
                "files names of their own"
            )
        return path
