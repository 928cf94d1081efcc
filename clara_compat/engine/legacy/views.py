"""Between the engine's tensors and what a user's Clara code sees.

Inside, data are channel-first ``MetaTensor``; a legacy component sees a ``TransformContext`` of ``MedicalImage`` laid
out as the image's ``ShapeFormat`` says (rule 1 of the house). Nothing is copied on the way in but what a cache holds as
well, and only what the user's code made in an unusual form is copied on the way back. Several items (what a batching
crop makes of one) are :mod:`clara_compat.engine.legacy.stacks`' part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.common.constants import ImageProperty
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine import properties
from clara_compat.errors import ClaraError

__all__ = ["PathText", "from_context", "laid_out", "to_context", "to_medical_image", "to_tensor"]

_FILE_META = "filename_or_obj"


class PathText(str):
    """A path as Clara's loaders were given it: text to those that check, ``decode`` for those that expect bytes."""

    __slots__ = ()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the text itself."""
        return str(self)


def to_context(data: Mapping[str, Any]) -> TransformContext:
    """Return a context of the item: tensors as :class:`MedicalImage` views, everything else as it is."""
    context = TransformContext()
    for field, value in data.items():
        if isinstance(value, torch.Tensor):
            context.set_image(field, to_medical_image(value))
        else:
            context[field] = PathText(value) if isinstance(value, str) else value
    return context


def from_context(context: TransformContext, before: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the item that a legacy component left in ``context``.

    Args:
        context: what the component returned.
        before: the item it was given.
        name: the component, for messages.

    Raises:
        ClaraError: an image holds data no tensor can hold.
    """
    after: dict[str, Any] = {}
    for field, value in context.items():
        if isinstance(value, MedicalImage):
            after[field] = to_tensor(value, before.get(field), field, name)
        else:
            after[field] = str(value) if isinstance(value, PathText) else value
    return after


def to_medical_image(tensor: torch.Tensor) -> MedicalImage:
    """Return a view of a channel-first tensor (C, spatial...) in the layout of its legacy shape format."""
    known = properties.read(tensor)
    default = ShapeFormat.CDHW if tensor.ndim == 4 else ShapeFormat.CHW
    shape_format = ShapeFormat(known.pop("shape_format", default))
    image = MedicalImage(laid_out(_array(tensor), shape_format), shape_format)
    for key, value in known.items():
        image.set_property(key, value)
    if isinstance(tensor, MetaTensor):
        image.set_property(ImageProperty.AFFINE, tensor.affine.detach().cpu().numpy())
    return image


def to_tensor(image: MedicalImage, before: Any, field: str, name: str) -> torch.Tensor:
    """Return a channel-first ``MetaTensor`` (C, spatial...) with the image's affine and properties.

    Args:
        image: what the component left under ``field``.
        before: what stood there before: a tensor or, ahead of a loader, a path.
        field: the field, for messages.
        name: the component, for messages.
    """
    shape_format = image.get_shape_format()
    array = _native(np.asarray(image.get_data()), field, name)
    if not shape_format.is_channeled():
        array = array[np.newaxis]
    elif shape_format.get_channel_axis() != 0:
        array = np.moveaxis(array, shape_format.get_channel_axis(), 0)
    kept = {key: value for key, value in image.get_properties().items() if key != ImageProperty.AFFINE}
    affine = image.get_property(ImageProperty.AFFINE)
    tensor = MetaTensor(
        _as_tensor(array), affine=None if affine is None else torch.as_tensor(np.array(affine, dtype=np.float64))
    )
    if isinstance(before, MetaTensor):
        tensor.meta = {**before.meta, **tensor.meta}
        properties.own(tensor)
    file_name = kept.get(ImageProperty.FILENAME, before if isinstance(before, str) else None)
    if isinstance(file_name, bytes):
        kept[ImageProperty.FILENAME] = file_name = file_name.decode()
    if isinstance(file_name, str):
        tensor.meta[_FILE_META] = file_name
    try:
        properties.write(tensor, {**kept, "shape_format": str(shape_format)})
    except TypeError as error:
        raise ClaraError(f"{name} gave '{field}' a property that cannot be kept: {error}") from error
    return tensor


def laid_out(array: np.ndarray, shape_format: ShapeFormat) -> np.ndarray:
    """Return a view of a channel-first array (C, spatial...) in the layout of a format without a batch axis."""
    if not shape_format.is_channeled():
        return array[0]
    axis = shape_format.get_channel_axis()
    return array if axis == 0 else np.moveaxis(array, 0, axis)


def _array(tensor: torch.Tensor) -> np.ndarray:
    plain = tensor.as_tensor() if isinstance(tensor, MetaTensor) else tensor
    array = plain.detach().cpu().numpy()
    return array.copy() if properties.is_shared(tensor) else array


def _native(array: np.ndarray, field: str, name: str) -> np.ndarray:
    """Return the array in a type torch has: native byte order, no float16, no objects, no wide unsigned integers."""
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "O":
        try:
            return array.astype(np.float32)
        except (TypeError, ValueError):
            raise ClaraError(f"{name} left Python objects in '{field}': expected an array of numbers") from None
    if kind not in "biuf":
        raise ClaraError(f"{name} left an array of type {array.dtype} in '{field}': expected numbers")
    if kind == "f" and size not in (4, 8):
        return array.astype(np.float32)
    if kind == "u" and size > 1:
        return array.astype(np.int32 if size == 2 else np.int64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _as_tensor(array: np.ndarray) -> torch.Tensor:
    if any(stride < 0 for stride in array.strides) or not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array).contiguous()
