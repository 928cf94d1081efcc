"""numpy as it was when Clara 3.1 components were written."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["numpy_with_aliases"]

_REMOVED: dict[str, Any] = {
    "bool": bool,
    "int": int,
    "float": float,
    "complex": complex,
    "object": object,
    "str": str,
    "NaN": np.nan,
    "NAN": np.nan,
    "Inf": np.inf,
    "Infinity": np.inf,
    "infty": np.inf,
    "PINF": np.inf,
    "NINF": -np.inf,
    "float_": np.float64,
    "complex_": np.complex128,
    "unicode_": np.str_,
    "string_": np.bytes_,
    "product": np.prod,
    "cumproduct": np.cumprod,
    "alltrue": np.all,
    "sometrue": np.any,
    "round_": np.round,
    "row_stack": np.vstack,
    "trapz": np.trapezoid,
    "in1d": lambda ar1, ar2, assume_unique=False, invert=False: np.isin(
        np.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert
    ),
}
"""Removed by numpy 1.24 (the built-in types) and 2.0 (the rest); the values are what numpy's own notes recommend."""


_BUILT_INS = ("bool", "int", "float", "complex", "object", "str")
"""Names that meant Python's own types; numpy 2 gave ``bool`` another meaning."""


class _Numpy(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name in _REMOVED and (name in _BUILT_INS or not hasattr(np, name)):
            return _REMOVED[name]
        return getattr(np, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(np), *_REMOVED})


@cache
def numpy_with_aliases() -> ModuleType:
    """Return numpy with the names that 1.24 and 2.0 removed; everything else is numpy's own."""
    module = _Numpy("numpy")
    module.__path__ = np.__path__
    return module
