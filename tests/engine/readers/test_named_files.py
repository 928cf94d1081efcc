"""Headers whose voxels lie in other files, of which some never end."""

from __future__ import annotations

import os
import re
from pathlib import Path

import itk
import numpy as np
import pytest

from clara_compat.engine.readers.itk_files import itk_header, read_itk
from clara_compat.engine.readers.named_files import check_named_files
from clara_compat.errors import ClaraError

VOXELS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def header(folder: Path, ending: str, names: str) -> Path:
    """Write a header whose voxels are in these files."""
    itk.imwrite(itk.image_from_array(VOXELS), folder / f"plain{ending}")
    file = folder / f"scan{ending}"
    file.write_text((folder / f"plain{ending}").read_text().replace("plain.raw", names))
    return file


@pytest.mark.parametrize(
    ("ending", "names"),
    [
        (".mhd", "pipe1"),
        (".mhd", "{folder}/pipe1"),
        (".mhd", "LIST\nplain.raw\npipe1\n"),
        (".mhd", "pipe%d 1 2 1"),
        (".mhd", "{folder}/pipe%01d 1 2 1"),
        (".nhdr", "pipe1"),
        (".nhdr", "LIST\nplain.raw\npipe1\n"),
        (".nhdr", "pipe%d 1 2 1"),
    ],
)
def test_a_pipe_is_never_read(tmp_path: Path, ending: str, names: str) -> None:
    os.mkfifo(tmp_path / "pipe1")
    file = header(tmp_path, ending, names.replace("{folder}", str(tmp_path)))
    for read in (itk_header, lambda path: read_itk(path, np.float32)):
        with pytest.raises(
            ClaraError, match=f"'{re.escape(str(file))}' cannot be read: its voxels are in pipe1, which"
        ):
            read(str(file))


@pytest.mark.parametrize("ending", [".mhd", ".nhdr"])
def test_files_are_read(tmp_path: Path, ending: str) -> None:
    file = header(tmp_path, ending, "plain.raw")
    np.testing.assert_array_equal(read_itk(str(file), np.float32).data[0], VOXELS.T)


@pytest.mark.parametrize("content", [b"", b"ElementDataFile =", b"data file: \0", b"data file: LIST", b"\xff" * 100])
def test_headers_that_name_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nhdr").write_bytes(content)
    check_named_files(str(tmp_path / "a.nhdr"))
