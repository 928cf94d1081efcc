"""Between the engine's tensors and what a user's Clara code sees.

Inside, data are channel-first ``MetaTensor``; a legacy component sees a ``TransformContext`` of ``MedicalImage`` laid
out as the image's ``ShapeFormat`` says (rule 1 of the house). Nothing is copied on the way in but what a cache holds as
well, and only what the user's code made in an unusual form is copied on the way back; an image that the component has
not looked at comes back as the tensor it was. Several items (what a batching crop makes of one) are stacked by
:mod:`clara_compat.engine.legacy.stacks`.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.common.constants import ImageProperty
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine import properties
from clara_compat.engine.legacy.images import OF_EACH, TensorView, label_of, layout_of, same, untold_source
from clara_compat.errors import ClaraError

__all__ = ["PathText", "from_context", "to_context", "to_medical_image", "to_tensor"]

_OWN_REFERENCES = 3
"""References to an array that nobody keeps: of its image (or a view in it), of a variable, of the question itself."""

_FILE_META = "filename_or_obj"

_IMAGE_AXES = 3
"""An image has a channel axis and two spatial ones at least."""


class PathText(str):
    """A path as Clara's loaders were given it: text to those that check, ``decode`` for those that expect bytes."""

    __slots__ = ()

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the text itself.

        Args:
            encoding: not used.
            errors: not used.
        """
        return str(self)


def to_context(data: Mapping[str, Any]) -> TransformContext:
    """Return a context of the item: tensors as :class:`MedicalImage` views, everything else as it is.

    A tensor of fewer axes than an image has, such as a network's values per class, is shown as an array. Lists,
    dictionaries and arrays are copied: the user's code may write into them, and a cache may hold them.

    Args:
        data: the item.
    """
    context = TransformContext()
    for field, value in data.items():
        if isinstance(value, torch.Tensor) and value.ndim >= _IMAGE_AXES:
            context.set_image(field, TensorView(value))
        elif isinstance(value, torch.Tensor):
            context[field] = value.detach().cpu().numpy().copy()
        else:
            context[field] = _shown(value)
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
        if isinstance(value, TensorView) and value.is_untouched:
            after[field] = value.tensor
        elif isinstance(value, MedicalImage):
            after[field] = to_tensor(_alone(value), before.get(field), field, name)
        elif isinstance(value, np.ndarray) and isinstance(before.get(field), torch.Tensor):
            after[field] = _as_tensor(_native(value, field, name))
        else:
            after[field] = _plain(value)
    return after


def _shown(value: Any) -> Any:
    """Return what the user's code sees of a value that is no image: a copy, its texts with a ``decode``."""
    if isinstance(value, str):
        return PathText(value)
    if isinstance(value, (list, tuple)):
        return type(value)([_shown(one) for one in value])
    return copy.deepcopy(value) if isinstance(value, (dict, np.ndarray)) else value


def _plain(value: Any) -> Any:
    """Undo :func:`_shown`."""
    if isinstance(value, PathText):
        return str(value)
    return type(value)([_plain(one) for one in value]) if type(value) in (list, tuple) else value


def to_medical_image(tensor: torch.Tensor) -> MedicalImage:
    """Return a view of a channel-first tensor (C, spatial...) in the layout of its legacy shape format.

    Args:
        tensor: the image.
    """
    return TensorView(tensor)


def to_tensor(image: MedicalImage, before: Any, field: str, name: str) -> torch.Tensor:
    """Return a channel-first ``MetaTensor`` (C, spatial...) with the image's affine and properties.

    Where there were no metadata and the component gave none, a plain tensor is returned.

    Args:
        image: what the component left under ``field``.
        before: what stood there before: a tensor or, ahead of a loader, a path.
        field: the field, for messages.
        name: the component, for messages.
    """
    shape_format = image.get_shape_format()
    kept_by_user = _is_kept(image, before)
    array = _native(np.asarray(image.get_data()), field, name)
    if kept_by_user and np.shares_memory(array, image.get_data()):
        array = array.copy()
    if not shape_format.is_channeled():
        array = array[np.newaxis]
    elif shape_format.get_channel_axis() != 0:
        array = np.moveaxis(array, shape_format.get_channel_axis(), 0)
    data = _as_tensor(array)
    source = untold_source(image)
    if source is not None and shape_format == (label_of(source.tensor) or layout_of(source.tensor)):
        return _dressed(data, source.tensor)
    kept = {key: value for key, value in image.get_properties().items() if key not in (ImageProperty.AFFINE, OF_EACH)}
    affine = image.get_property(ImageProperty.AFFINE)
    if type(before) is torch.Tensor and not kept and affine is None and shape_format == layout_of(data):
        return data
    tensor = MetaTensor(data, affine=None if affine is None else torch.as_tensor(np.array(affine, dtype=np.float64)))
    if isinstance(before, MetaTensor):
        tensor.meta = {**before.meta, **tensor.meta}
        properties.own(tensor)
        _let_spacing_follow(kept, before, tensor)
    file_name = kept.get(ImageProperty.FILENAME, before if isinstance(before, str) else None)
    if isinstance(file_name, bytes):
        kept[ImageProperty.FILENAME] = file_name = file_name.decode()
    if isinstance(file_name, str):
        tensor.meta[_FILE_META] = file_name
    shape = kept.get(ImageProperty.ORIGINAL_SHAPE)
    if shape is not None and len(shape) == shape_format.get_number_of_dims():
        kept.setdefault(ImageProperty.ORIGINAL_SHAPE_FORMAT, str(shape_format))  # documented loaders set only the shape
    try:
        properties.write(tensor, {**kept, ImageProperty.SHAPE_FORMAT: str(shape_format)})
    except TypeError as error:
        raise ClaraError(f"{name} gave '{field}' a property that cannot be kept: {error}") from error
    return tensor


def _is_kept(image: MedicalImage, before: Any) -> bool:
    """Whether somebody besides the image holds its array: a user's object that fills the same buffer for every item.

    A doubt costs a copy.

    Args:
        image: what the component left.
        before: what stood there before; the memory of a tensor that was shown does not count, it is the item's own.
    """
    owner = image.get_data()
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if owner.base is not None:
        return not (
            isinstance(owner.base, torch.Tensor)
            and isinstance(before, torch.Tensor)
            and owner.base.untyped_storage().data_ptr() == before.untyped_storage().data_ptr()
        )
    return sys.getrefcount(owner) > _OWN_REFERENCES


def _alone(image: MedicalImage) -> MedicalImage:
    """Return the image; a copy of its array when that is a small part of another, which it would keep in memory."""
    array = image.get_data()
    base: Any = array.base
    held = base.untyped_storage().nbytes() if isinstance(base, torch.Tensor) else getattr(base, "nbytes", 0)
    return image.new_image(array.copy(order="K"), image.get_shape_format()) if held > 2 * array.nbytes else image


def _let_spacing_follow(kept: dict[str, Any], before: MetaTensor, after: MetaTensor) -> None:
    """Change a spacing that the component left alone as it changed affine and axes."""
    spacing = kept.get(ImageProperty.SPACING)
    if spacing is None or not same(spacing, properties.read(before).get(ImageProperty.SPACING)):
        return
    ratios = zip(spacing, properties.affine_spacing(after), properties.affine_spacing(before), strict=False)
    kept[ImageProperty.SPACING] = tuple(float(one) * new / old if old else new for one, new, old in ratios)


def _dressed(data: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Return ``data`` with the metadata of ``source``, but for what MONAI could invert: users' code cannot be."""
    if not isinstance(source, MetaTensor):
        return data
    tensor = properties.dressed(data, source)
    tensor.applied_operations = []
    properties.own(tensor)
    return tensor


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
    if min(array.strides) < 0 or not array.flags.writeable:
        array = array.copy()
    return torch.from_numpy(array).contiguous()
