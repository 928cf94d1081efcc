"""``extra_inputs``: further network inputs, fed from fields of the items.

What was seen of them: a list of ``{"args": {"name", "shape", "source_dtype", "target_dtype", "data_key"}, "for_train",
"for_val"}`` at the top level of a config. That ``shape`` is without the batch axis is assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clara_compat.common.dtype_utils import str_to_dtype
from clara_compat.errors import Address, ClaraError

__all__ = ["extra_inputs"]

_SECTIONS = {"train": "for_train", "validate": "for_val"}


def extra_inputs(declared: Any, section: str, address: Callable[..., Address]) -> list[dict[str, Any]]:
    """Return the further inputs of a section as ``BatchFields`` takes them.

    Args:
        declared: the value in the config.
        section: ``train`` or ``validate``.
        address: gives the address of a part of the value.

    Raises:
        ClaraError: something in the declaration cannot be used.
    """
    if declared is None:
        return []
    if not isinstance(declared, list):
        raise ClaraError(f"extra_inputs is {declared!r:.60}, expected a list of inputs", address())
    found = []
    for number, one in enumerate(declared):
        if not isinstance(one, dict) or not isinstance(one.get("args", one), dict):
            raise ClaraError(f'is {one!r:.60}, expected {{"args": {{"name": ..., "data_key": ...}}}}', address(number))
        if one.get(_SECTIONS[section], True):
            found.append(_input(one.get("args", one), lambda *key, number=number: address(number, *key)))
    return found


def _input(args: dict[str, Any], address: Callable[..., Address]) -> dict[str, Any]:
    name = args.get("name", args.get("data_key"))
    field = args.get("data_key", name)
    if not isinstance(name, str) or not isinstance(field, str):
        raise ClaraError("the extra input needs a 'name' and a 'data_key', both texts", address("args"))
    if name in ("image", "label"):
        raise ClaraError(f"the extra input cannot be called '{name}': that is an input already", address("args"))
    try:
        dtype = str(str_to_dtype(args.get("target_dtype") or args.get("source_dtype") or "float32"))
    except (TypeError, ValueError) as error:
        raise ClaraError(f"the extra input '{name}': {error}", address("args")) from None
    shape = args.get("shape")
    if shape is not None and not (
        isinstance(shape, list) and all(n is None or (isinstance(n, int) and not isinstance(n, bool)) for n in shape)
    ):
        raise ClaraError(f"the extra input '{name}' has the shape {shape!r}, expected whole numbers", address("args"))
    return {"name": name, "data_key": field, "dtype": dtype, "shape": shape}
