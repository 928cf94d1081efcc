"""What is to be converted, and where each result goes."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from clara_compat.errors import ClaraError, suggestion

__all__ = ["DICOM", "READ", "WRITTEN", "Job", "Request", "plan"]

DICOM = ".dcm"
WRITTEN = (".nii", ".nii.gz", ".mha", ".mhd", ".nrrd")
READ = (DICOM, *WRITTEN)


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Args:
        folder: folder whose tree is searched for sources. An output folder below it is left out of the search.
        resolution: voxel size in mm along the axes of the file, first axis first: one number for all, or three;
            empty: keep each image's own grid.
        source_ext: format of the sources, with or without the dot. ``.dcm``: every folder that holds such files is one
            series.
        target_ext: format of the results.
        output: folder that gets the results, in the same tree.
        force: overwrite what exists.
        label: take the nearest voxel instead of interpolating linearly.
        precision: decimals of a source's voxel size (mm) that count when the new size is computed, so that a header's
            0.99999994 is 1.
        edge: where the new grid reaches beyond the image, continue its edge instead of filling with 0.
        dry_run: only say what would be done.
    """

    folder: Path
    resolution: Sequence[float] = ()
    source_ext: str = ".nii"
    target_ext: str = ".nii"
    output: Path = Path()
    force: bool = False
    label: bool = False
    precision: int = 3
    edge: bool = False
    dry_run: bool = False

    @property
    def spacing(self) -> tuple[float, float, float] | None:
        """The new voxel size of the three spatial axes in mm, or None to keep the grid."""
        if not self.resolution:
            return None
        if len(self.resolution) not in {1, 3} or not all(math.isfinite(r) and r > 0 for r in self.resolution):
            got = " ".join(f"{r:g}" for r in self.resolution)
            raise ClaraError(
                f"-r takes a voxel size in mm: one positive number for all axes, or three (got {got}); "
                "for example -r 1 1 2.5"
            )
        first, *others = self.resolution
        second, third = others or (first, first)
        return first, second, third


class Job(NamedTuple):
    """One result: ``source`` is a file, or the folder of a DICOM series; ``name`` is its path below the folder."""

    source: Path
    target: Path
    name: str

    @property
    def written(self) -> tuple[Path, ...]:
        """All files that the result consists of; a ``.mhd`` header has its voxels in a ``.raw`` beside it."""
        return (self.target, self.target.with_suffix(".raw")) if self.target.suffix == ".mhd" else (self.target,)


def plan(request: Request) -> list[Job]:
    """Find the sources, ordered by name, and say where each result goes.

    Raises:
        ClaraError: an extension is not known, a folder is not there, or nothing was found.
    """
    source_ext = _extension(request.source_ext, READ, "-s", "read")
    target_ext = _extension(request.target_ext, WRITTEN, "-e", "written")
    _ = request.spacing  # checked before anything is searched
    if not request.folder.is_dir():
        raise ClaraError(f"-d: there is no folder {request.folder}; give the folder that holds the scans")
    if request.output.exists() and not request.output.is_dir():
        raise ClaraError(f"-o: {request.output} is a file; give a folder for the results")
    sources = list(_sources(request, source_ext))
    if not sources:
        raise ClaraError(_nothing(request, source_ext))
    jobs = []
    for source in sources:
        below = source.relative_to(request.folder)
        whole = below.name or request.folder.resolve().name  # the folder itself may hold a DICOM series
        name = whole if source_ext == DICOM else whole[: -len(source_ext)]
        jobs.append(Job(source, request.output / below.parent / (name + target_ext), str(below)))
    return jobs


def _extension(given: str, known: Sequence[str], flag: str, done: str) -> str:
    extension = given.lower() if given.startswith(".") else f".{given.lower()}"
    if extension in known:
        return extension
    if extension == DICOM:
        raise ClaraError(f"{flag}: DICOM is only read, not written; give one of {', '.join(known)}")
    raise ClaraError(
        f"{flag}: {given} is no format that can be {done}{suggestion(extension, known)} (formats: {', '.join(known)})"
    )


def _sources(request: Request, extension: str) -> Iterator[Path]:
    for folder, names in _walk(request):
        found = [folder / name for name in names if _has(name, extension)]
        yield from [folder] if found and extension == DICOM else found


def _walk(request: Request) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder with its file names; hidden ones are left out (macOS writes a ``._scan.nii`` that is none)."""

    def unreadable(error: OSError) -> None:
        raise ClaraError(f"-d: cannot search {error.filename}: {error.strerror}") from error

    output = request.output.resolve()
    inside = output != request.folder.resolve()
    for root, folders, files in os.walk(request.folder, onerror=unreadable):
        here = Path(root)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and not (inside and (here / name).resolve() == output)
        )
        yield here, sorted(name for name in files if name[0] != ".")


def _has(name: str, extension: str) -> bool:
    return name.lower().endswith(extension) and len(name) > len(extension)


def _nothing(request: Request, extension: str) -> str:
    """Say that no source was found, and what the folder holds instead."""
    others = Counter(
        max((known for known in READ if _has(name, known)), key=len, default="")
        for _, names in _walk(request)
        for name in names
    )
    others.pop("", None)
    message = f"no {extension} files below {request.folder}"
    if others:
        holds = ", ".join(f"{count} {known}" for known, count in others.most_common())
        return f"{message}; it holds {holds}: give -s {others.most_common(1)[0][0]}"
    if extension == DICOM:
        return f"{message}; DICOM files are recognised by this ending: rename yours, or check the folder"
    return f"{message}; check the folder, or give another format (-s {', '.join(READ)})"
