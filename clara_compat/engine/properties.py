"""Clara's image properties on a ``MetaTensor``.

They live under one meta key as a JSON string: such a string passes unchanged through MONAI's transforms, collation and
pickling, where ``None`` and lists of unequal length do not (rule 1 of the house). Two properties follow from the
geometry that MONAI tracks and are not stored: the affine, which is ``MetaTensor.affine``, and the spacing as long as
it is the affine's, so that both stay right through every transform that keeps the affine right.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.common.constants import ImageProperty

__all__ = [
    "KEY",
    "affine_spacing",
    "carry",
    "dressed",
    "from_json",
    "is_shared",
    "own",
    "read",
    "share",
    "to_json",
    "update",
    "write",
]

KEY: Final = "clara"
"""The meta key."""

_SHARED: Final = "clara_shared"

_TUPLE, _DICT, _ARRAY, _SCALAR, _BYTES = "()", "{}", "ndarray", "scalar", "bytes"
_ARRAY_KINDS = "biufcSU"
_SAME_SPACING = 1e-5  # relative; headers hold float32


def read(tensor: torch.Tensor) -> dict[str, Any]:
    """Return the properties of ``tensor``, a new dictionary; empty when it has none.

    ``spacing`` is the affine's (mm, one number per spatial axis of a channel-first tensor) unless another was written.
    """
    text = tensor.meta.get(KEY) if isinstance(tensor, MetaTensor) else None
    if text is None:
        return {}
    properties = {name: _decode(value) for name, value in json.loads(text).items()}
    properties.setdefault(ImageProperty.SPACING, affine_spacing(tensor))
    return properties


def write(tensor: MetaTensor, properties: Mapping[str, Any]) -> None:
    """Replace all properties of ``tensor``, in place.

    Numbers, strings, None, bytes, lists, tuples, dictionaries, numpy arrays and numpy scalars come back from
    :func:`read` as what they were.

    Args:
        tensor: the image.
        properties: values by name.

    Raises:
        TypeError: a property cannot be stored; its name is in the message.
    """
    stored = {}
    for name, value in properties.items():
        if name == ImageProperty.SPACING and _is_spacing(value, affine_spacing(tensor)):
            continue
        try:
            stored[name] = _encode(value)
        except TypeError as error:
            raise TypeError(f"property {name!r} cannot be stored: {error}") from None
    tensor.meta[KEY] = json.dumps(stored)


def update(tensor: MetaTensor, **properties: Any) -> None:
    """Set some properties of ``tensor``, in place, and keep the others.

    Args:
        tensor: the image.
        properties: new values by name.
    """
    write(tensor, {**read(tensor), **properties})


def carry(data: torch.Tensor, source: torch.Tensor, affine: torch.Tensor | None = None, **changed: Any) -> torch.Tensor:
    """Return ``data`` with the metadata of ``source``, which is left alone.

    Args:
        data: plain tensor.
        source: a ``MetaTensor``; when it is a plain tensor, ``data`` is returned as it is.
        affine: the new affine (4x4, float64), or None to keep it; a spacing that is not the affine's changes with it.
        changed: properties to set.
    """
    if not isinstance(source, MetaTensor):
        return data
    out = dressed(data, source)
    if affine is not None:
        out.affine = affine
    if affine is not None and ImageProperty.SPACING in json.loads(source.meta.get(KEY, "{}")):
        ratios = zip(read(source)[ImageProperty.SPACING], affine_spacing(out), affine_spacing(source), strict=False)
        changed.setdefault(ImageProperty.SPACING, tuple(float(one) * new / old for one, new, old in ratios))
    if changed:
        update(out, **changed)
    return out


def dressed(data: torch.Tensor, source: MetaTensor) -> MetaTensor:
    """Return a plain tensor with a copy of the metadata of ``source``; its memory is that of ``data``.

    ``MetaTensor(data, meta=...)`` takes several times as long.
    """
    out = data.as_subclass(MetaTensor)
    out.copy_meta_from(source)
    out.meta["affine"] = source.affine.clone()
    return out


def share(tensor: MetaTensor) -> MetaTensor:
    """Return ``tensor`` with metadata of its own and the same memory, marked as held by somebody else, too.

    MONAI's transforms leave what they are given alone; a user's code may write into it and gets a copy.
    """
    out = dressed(tensor.as_tensor(), tensor)
    out.meta[_SHARED] = tensor.untyped_storage().data_ptr()
    return out


def is_shared(tensor: torch.Tensor) -> bool:
    """Whether the memory of ``tensor`` is that of :func:`share`; what a transform made of it has memory of its own."""
    return isinstance(tensor, MetaTensor) and tensor.meta.get(_SHARED) == tensor.untyped_storage().data_ptr()


def own(tensor: MetaTensor) -> None:
    """Take the mark of :func:`share` away, in place.

    Args:
        tensor: the image.
    """
    tensor.meta.pop(_SHARED, None)


def affine_spacing(tensor: torch.Tensor) -> tuple[float, ...]:
    """Return the column norms of the affine: mm, one number per spatial axis of a channel-first tensor.

    ``MetaTensor.pixdim`` is not that for a 2-D image that lies obliquely in space: it leaves out the third coordinate.

    Args:
        tensor: (C, spatial...); one without an affine has 1 mm.
    """
    affine = tensor.affine if isinstance(tensor, MetaTensor) else torch.eye(4, dtype=torch.float64)
    matrix = affine.numpy()[..., :-1, : min(affine.shape[-1] - 1, tensor.ndim - 1)]
    return tuple(np.sqrt((matrix * matrix).sum(axis=-2)).tolist()) if matrix.ndim == 2 else ()


def to_json(value: Any) -> str:
    """Return a property, or any value of the kinds :func:`write` takes, as text.

    Args:
        value: the value.

    Raises:
        TypeError: it is of another kind.
    """
    return json.dumps(_encode(value))


def from_json(text: str) -> Any:
    """Return the value that :func:`to_json` was given.

    Args:
        text: what it returned.
    """
    return _decode(json.loads(text))


def _is_spacing(value: Any, spacing: tuple[float, ...]) -> bool:
    try:
        return len(value) == len(spacing) and all(
            abs(float(one) - other) <= _SAME_SPACING * other for one, other in zip(value, spacing, strict=True)
        )
    except (TypeError, ValueError):
        return False


def _encode(value: Any) -> Any:
    if isinstance(value, np.generic):
        return {_SCALAR: _pack(np.asarray(value))}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, tuple):
        return {_TUPLE: [_encode(one) for one in value]}
    if isinstance(value, list):
        return [_encode(one) for one in value]
    if isinstance(value, Mapping):
        return {_DICT: [[_encode(key), _encode(one)] for key, one in value.items()]}
    if isinstance(value, np.ndarray):
        return {_ARRAY: [*_pack(value), list(value.shape)]}
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    raise TypeError(f"a {type(value).__name__} is none of numbers, text, lists, dictionaries or numpy arrays")


def _pack(array: np.ndarray[Any, Any]) -> list[Any]:
    if array.dtype.kind not in _ARRAY_KINDS:
        raise TypeError(f"a numpy array of type {array.dtype} does not hold numbers or text")
    return [array.dtype.str, base64.b64encode(array.tobytes()).decode()]


def _unpack(dtype: str, content: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(content), dtype=dtype).copy()


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(one) for one in value]
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag == _TUPLE:
        return tuple(_decode(one) for one in content)
    if tag == _DICT:
        return {_decode(key): _decode(one) for key, one in content}
    if tag == _ARRAY:
        return _unpack(*content[:2]).reshape(content[2])
    if tag == _SCALAR:
        return _unpack(*content)[0]
    return base64.b64decode(content)
