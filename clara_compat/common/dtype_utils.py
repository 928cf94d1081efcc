"""Data types by name.

Source: Clara 3.1 page "Bring your own components" (``str_to_dtype("float32")``); clara-3.1-transforms facts,
section 2.6. Which spellings Clara took besides the plain name is not documented: those below are assumed.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from clara_compat.errors import suggestion

__all__ = ["str_to_bool", "str_to_dtype"]

_NAMES = (
    *("bool", "float16", "float32", "float64"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
)
_PREFIXES = ("numpy.", "np.", "tensorflow.", "tf.")
_NAME = re.compile(r"[<>=|]?[A-Za-z?]\w*")


def str_to_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the numpy data type of a name.

    Args:
        dtype: ``"float32"``, ``"np.float32"``, ``"tf.uint8"`` or another name numpy knows (``"f4"``, ``"double"``); a
            numpy data type or scalar type is returned as a data type.

    Raises:
        TypeError: neither a string nor a numpy data type.
        ValueError: no boolean, integer or real floating data type has this name.

    Example::

        >>> str_to_dtype("np.float32")
        dtype('float32')
    """
    if isinstance(dtype, np.dtype) or (isinstance(dtype, type) and issubclass(dtype, (np.generic, bool, int, float))):
        found = np.dtype(dtype)
    elif isinstance(dtype, str):
        name = dtype.strip()
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        if not _NAME.fullmatch(name):  # numpy reads more than names: "2i4", "i4,f4"
            raise ValueError(_unknown(dtype, name))
        try:
            found = np.dtype(name)
        except (TypeError, ValueError) as error:
            raise ValueError(_unknown(dtype, name)) from error
    else:
        raise TypeError(f"a data type must be given by its name, such as 'float32', got {dtype!r}")
    if found.kind not in "biuf":
        raise ValueError(_unknown(dtype, str(found)))
    return found


def str_to_bool(value: Any) -> bool:
    """Return a flag that may be given as text: published configs write ``"false"``, which Python takes for true.

    Args:
        value: a bool, a number, or text such as ``"true"`` or ``"0"``.

    Raises:
        ValueError: the text is neither true nor false.
    """
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0", ""):
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def _unknown(given: object, name: str) -> str:
    return f"{given!r} is not a data type for images, expected one of {', '.join(_NAMES)}{suggestion(name, _NAMES)}"
