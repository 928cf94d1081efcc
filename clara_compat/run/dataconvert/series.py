"""A folder of DICOM files as one volume."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clara_compat.errors import ClaraError

__all__ = ["check_slices", "series_files"]

_MAY_DIFFER = 0.25
"""How far a slice may lie from its place in an even grid, in voxels."""


def series_files(folder: Path) -> list[str]:
    """Return the files of the folder's one image series, ordered along it.

    Raises:
        ClaraError: there is no series, there are several, or some ``.dcm`` files are not part of it. GDCM leaves out
            what it cannot read without a word, so that a damaged slice would only be missing.
    """
    import itk

    finder = itk.GDCMSeriesFileNames.New()
    finder.SetUseSeriesDetails(True)  # a scout of the same series is told apart by its size
    finder.SetDirectory(str(folder))
    series = [[str(name) for name in finder.GetFileNames(uid)] for uid in finder.GetSeriesUIDs()]
    if not series:
        raise ClaraError("none of its .dcm files can be read as a DICOM image")
    if len(series) > 1:
        slices = ", ".join(str(len(files)) for files in series)
        raise ClaraError(
            f"it holds {len(series)} DICOM series (of {slices} files), and one per folder is expected; "
            "move each to a folder of its own"
        )
    here = {path.name for path in folder.iterdir() if path.suffix.lower() == ".dcm" and path.name[0] != "."}
    left_out = sorted(here - {Path(name).name for name in series[0]})
    if left_out:
        more = ", ..." if len(left_out) > 3 else ""
        raise ClaraError(
            f"{len(left_out)} of its {len(here)} .dcm files cannot be read as slices of the series, or hold no image "
            f"({', '.join(left_out[:3])}{more}); mend or remove them"
        )
    return series[0]


def check_slices(files: Sequence[str], image: Any) -> None:
    """Check that the slices lie where the volume has them: a volume's grid is even and at right angles.

    Args:
        files: DICOM files in the order of the slices.
        image: the volume that ITK made of them.

    Raises:
        ClaraError: slices are missing or unevenly spaced, or the gantry was tilted.
    """
    import itk

    header = itk.GDCMImageIO.New()
    origins = np.empty((len(files), 3))
    for origin, file in zip(origins, files, strict=True):
        header.SetFileName(file)
        header.ReadImageInformation()
        origin[:] = [header.GetOrigin(axis) for axis in range(3)]
    direction = itk.array_from_matrix(image.GetDirection())
    spacing = np.array(image.GetSpacing())
    found = (origins - np.array(image.GetOrigin())) @ direction / spacing  # in voxels
    found[:, 2] -= np.arange(len(files))
    off = np.abs(found).max(axis=0)
    if off[:2].max() > _MAY_DIFFER:
        raise ClaraError(
            f"its slices are shifted sideways by up to {(off * spacing)[:2].max():.2f} mm, as with a tilted gantry, "
            "which this command cannot represent"
        )
    if off[2] > _MAY_DIFFER:
        steps = np.abs(np.diff(origins @ direction[:, 2]))
        raise ClaraError(
            f"its slices lie {steps.min():.4g} to {steps.max():.4g} mm apart, expected one distance: "
            "slices are missing, or there is more than one volume; mend the folder"
        )
