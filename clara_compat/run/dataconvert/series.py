"""A folder of DICOM files as one volume with axes at right angles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clara_compat.engine.readers.dicom import find_series
from clara_compat.errors import ClaraError

__all__ = ["series_files"]

_MAY_DIFFER = 0.25
"""How far a slice may lie beside its place in a grid at right angles, in voxels."""


def series_files(folder: Path) -> list[str]:
    """Return the files of the folder's one image series, ordered along it.

    Raises:
        ClaraError: there is no series, there are several, files of it are damaged or missing, or the gantry was tilted:
            ITK's images, which are written here, have axes at right angles.
    """
    series = find_series(str(folder))
    axes = series.affine[:3, :3]
    directions = axes[:, :2] / np.linalg.norm(axes[:, :2], axis=0)
    shift = np.abs(directions.T @ axes[:, 2]) * (series.size[2] - 1)  # mm, of the last slice along rows and columns
    if (shift / series.spacing[:2]).max() > _MAY_DIFFER:
        raise ClaraError(
            f"its slices are shifted sideways by up to {shift.max():.2f} mm, as with a tilted gantry, "
            "which this command cannot represent"
        )
    return series.files
