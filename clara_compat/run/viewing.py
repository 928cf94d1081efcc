"""How a slice of an image lies on a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import nibabel
import numpy as np

__all__ = ["View"]

Array = np.ndarray[Any, Any]

_WORLD = {"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}
_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}
_TO_THE_RIGHT = "LP"
"""What lies on the right of a page, as radiologists hold a slice: the patient's left, or the back."""
_DOWN = "PI"
"""What lies at its bottom."""


@dataclass(frozen=True)
class View:
    """How the first two spatial axes lie on a page: fixed for an item, so that a flip is seen as a flip.

    Args:
        anatomical: the image says how it lies in the patient.
        turned: the first axis runs across the page, the second one down it, rather than the other way round.
        backwards: whether the axis that runs down, and the one that runs across, are shown backwards.
    """

    anatomical: bool = False
    turned: bool = False
    backwards: tuple[bool, bool] = (False, False)

    @classmethod
    def of(cls, affine: Array) -> View:
        """Return the view in which a radiologist expects an image.

        An image whose place in space is not known (an identity affine: pictures, plain arrays) is shown as it lies in
        memory: its first axis runs down the page.

        Args:
            affine: of the image, (4, 4), from voxel indices to RAS mm.
        """
        codes = _codes(affine)
        if codes is None:
            return cls()
        turned = _WORLD[codes[0]] < _WORLD[codes[1]]
        across, down = codes if turned else codes[::-1]
        return cls(True, turned, (down not in _DOWN, across not in _TO_THE_RIGHT))

    def seen(self, plane: Array) -> Array:
        """Return a slice (first axis, second axis) as rows and columns of the page."""
        page = plane.T if self.turned else plane
        down, across = (-1 if one else 1 for one in self.backwards)
        return np.ascontiguousarray(page[::down, ::across])

    def size(self, shape: Sequence[int], spacing: Sequence[float]) -> tuple[float, float]:
        """Return width and height in mm of a page of ``shape`` (rows, columns), ``spacing`` being the image's."""
        first, second = (float(one) if one and np.isfinite(one) else 1.0 for one in (*spacing, 1.0, 1.0)[:2])
        down, across = (second, first) if self.turned else (first, second)
        return shape[1] * across, shape[0] * down

    def edges(self, affine: Array) -> tuple[str, str, str]:
        """Return the anatomical letters of the left, right and upper edge of a slice of an image with this affine.

        They are empty where the first image did not say how it lies: what turns a picture gives it a place, but no
        patient.
        """
        codes = _codes(affine) if self.anatomical else None
        if codes is None:
            return "", "", ""
        across, down = codes if self.turned else codes[::-1]
        if self.backwards[1]:
            across = _OPPOSITE[across]
        if self.backwards[0]:
            down = _OPPOSITE[down]
        return _OPPOSITE[across], across, _OPPOSITE[down]


def _codes(affine: Array) -> tuple[str, str] | None:
    """Return where the first two axes run to (nearest of R, L, A, P, S, I), or None where nobody knows."""
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or np.array_equal(affine, np.eye(4)):
        return None
    first, second = nibabel.aff2axcodes(affine)[:2]
    return (str(first), str(second)) if first and second else None
