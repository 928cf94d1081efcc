"""Checks that several transforms make of their arguments, and what several say of themselves."""

from __future__ import annotations

from typing import Any

from clara_compat.common.dtype_utils import str_to_dtype
from clara_compat.errors import ClaraError

__all__ = ["FOREGROUND", "dtype_name", "probability_in_range"]

FOREGROUND = (
    "of a label with several channels, channel 0 is background when it is one-hot (its channels sum to 1 at every "
    "voxel looked at), else any channel above 0 is foreground"
)
"""Part of a note on fidelity: what counts as foreground."""


def dtype_name(dtype: Any) -> str:
    """Return the name of a data type that was given by name or as a numpy type.

    Raises:
        ClaraError: there is no such type for images.
    """
    try:
        return str(str_to_dtype(dtype))
    except (TypeError, ValueError) as error:
        raise ClaraError(f"argument 'dtype': {error}") from None


def probability_in_range(probability: float) -> float:
    """Return ``probability``.

    Raises:
        ClaraError: it is not within 0 and 1.
    """
    if not 0 <= probability <= 1:
        raise ClaraError(f"argument 'probability' is {probability}, expected a number from 0 to 1")
    return float(probability)
