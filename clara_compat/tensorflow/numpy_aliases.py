"""numpy as it was when Clara 3.1 components were written."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["numpy_with_aliases"]

_REMOVED = {"bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str}


class _Numpy(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return _REMOVED[name] if name in _REMOVED else getattr(np, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(np), *_REMOVED})


@cache
def numpy_with_aliases() -> ModuleType:
    """Return numpy with the type aliases that 1.24 removed; everything else is numpy's own."""
    module = _Numpy("numpy")
    module.__path__ = np.__path__
    return module
