"""How a command ends."""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

from clara_compat.errors import ClaraError, printable

__all__ = ["DEFECT", "MEND", "exit_code"]

MEND = 2
"""Exit code for anything the user can mend."""

DEFECT = 1
"""Exit code for a defect of ours."""


def exit_code(command: Callable[[], Any]) -> int:
    """Run a command and return its exit code; what the user can mend is one message without a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal need not know all that a config may hold
    try:
        command()
    except ClaraError as error:
        return _end(str(error), MEND)
    except SystemExit as end:  # typer's own: usage errors (2), an explicit exit code, an interruption (130)
        return _end(end.code, MEND) if isinstance(end.code, str) else int(end.code or 0)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            return _end(_defect(error), DEFECT)
        return _end(printable(f"the name of a file or folder is too long: {error.filename}"), MEND)
    except Exception as error:  # noqa: BLE001 -- the last resort: a defect is said to be one
        return _end(_defect(error), DEFECT)
    return 0


def _end(text: str, code: int) -> int:
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    return code


def _defect(error: Exception) -> str:
    first: BaseException = error
    while first.__cause__ is not None:  # MONAI wraps what went wrong in sentences of its own
        first = first.__cause__
    handle, name = tempfile.mkstemp(prefix="clara_compat_defect_", suffix=".txt")
    with os.fdopen(handle, "w") as stream:
        traceback.print_exception(error, file=stream)
    return (
        f"a defect of clara_compat, not of your files: {type(first).__name__}: {first}\n"
        f"please report it with {name}, which holds the details"
    )
