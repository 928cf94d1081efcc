"""One source after another; what exists is asked about, and what fails does not stop the others."""

from __future__ import annotations

import os
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from clara_compat.engine.readers.intact import check_intact
from clara_compat.errors import ClaraError
from clara_compat.run.dataconvert.images import converted
from clara_compat.run.dataconvert.plan import Job, Request

__all__ = ["Answer", "Outcome", "convert"]

Answer = Literal["yes", "no", "always", "skip"]
"""Overwrite this one, not this one, this and all others, none any more."""


@dataclass(frozen=True)
class Outcome:
    """What became of one source, and the grids or the reason in words."""

    job: Job
    status: Literal["converted", "skipped", "failed", "planned"]
    text: str


def convert(request: Request, jobs: Sequence[Job], ask: Callable[[Job], Answer] | None = None) -> Iterator[Outcome]:
    """Convert each job when its outcome is asked for.

    A result is written whole or not at all. Voxels and geometry are kept, further header fields are not: those of a
    DICOM file name the patient.

    Args:
        request: how to convert.
        jobs: what ``plan`` found.
        ask: asks the user whether an existing result may be overwritten; None when nobody can be asked, and then it
            stays.
    """
    clashes = _clashes(jobs)
    if request.dry_run:
        yield from (clashes.get(job) or _planned(request, job) for job in jobs)
        return
    import itk

    overwriting = _Overwriting(ask, force=request.force)
    shown = itk.ProcessObject.GetGlobalWarningDisplay()
    itk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        for job in jobs:
            if job in clashes:
                yield clashes[job]
            elif (reason := overwriting.refuses(job)) is not None:
                yield Outcome(job, "skipped", reason)
            else:
                yield _run(request, job)
    finally:
        itk.ProcessObject.SetGlobalWarningDisplay(shown)


def _clashes(jobs: Sequence[Job]) -> dict[Job, Outcome]:
    """Return the failures of jobs whose result is that of an earlier one."""
    taken: dict[Path, Job] = {}
    found = {}
    for job in jobs:
        first = taken.setdefault(job.target.resolve(), job)
        if first is not job:
            text = f"{first.name} has the same result {job.target}; rename one of the two"
            found[job] = Outcome(job, "failed", text)
    return found


class _Overwriting:
    """Whether a result may take the place of what exists; asks as long as the answer is not for all."""

    def __init__(self, ask: Callable[[Job], Answer] | None, *, force: bool) -> None:
        self.ask = ask
        self.force = force
        self.skip = False

    def refuses(self, job: Job) -> str | None:
        """Return why the job must be skipped, or None when it may run."""
        if self.force or not any(path.exists() for path in job.written):
            return None
        if not self.skip:
            if self.ask is None:
                return f"{job.target} exists, and there is no terminal to ask: -f overwrites"
            answer = self.ask(job)
            self.force = answer == "always"
            self.skip = answer == "skip"
            if answer in {"yes", "always"}:
                return None
        return f"{job.target} exists"


def _planned(request: Request, job: Job) -> Outcome:
    exists = any(path.exists() for path in job.written)
    text = "" if not exists else "overwrites what exists" if request.force else "exists: asked before it is overwritten"
    return Outcome(job, "planned", text)


def _run(request: Request, job: Job) -> Outcome:
    try:
        result = converted(job.source, request)
        _write(result.image, job.target)
    except (ClaraError, RuntimeError, OSError, EOFError, MemoryError, zlib.error) as error:  # RuntimeError: ITK's own
        return Outcome(job, "failed", _reason(error))
    return Outcome(job, "converted", result.text)


def _write(image: Any, target: Path) -> None:
    """Write into a folder of its own beside the target, check it, and move it to its place."""
    import itk

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".dataconvert-", dir=target.parent) as folder:
        written = Path(folder, target.name)
        itk.imwrite(image, written)
        check_intact(written)  # ITK does not notice that a disk is full
        parts = [part for part in Path(folder).iterdir() if part != written]
        for part in (*parts, written):
            with part.open("rb+") as stream:
                os.fsync(stream.fileno())
        if parts:
            target.unlink(missing_ok=True)  # a header never stands beside the voxels of another image
        for part in (*parts, written):
            part.replace(target.parent / part.name)


def _reason(error: BaseException) -> str:
    """Return one sentence for what went wrong with one file."""
    if isinstance(error, ClaraError):
        return str(error)
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return "there is not enough memory for the image; for -r, see that the voxel size is in mm"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    text = str(error)
    if "orthonormal" in text:
        return "its axes are not at right angles (a sheared affine), which this command cannot represent"
    text = re.sub(r"\w+ ?\(0x[0-9a-f]+\): ", "", text.rpartition("ITK ERROR:")[2])
    return f"ITK cannot convert it: {' '.join(text.split())[:200]}"
