"""Several items of one scan as one batched image, and back.

After a batching crop an item is a list of items, as in MONAI. Legacy code knew them as one image with an N axis: it is
called once, with all of them stacked, and what it returns is split again (rule 1 of the house).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.common.constants import ImageProperty
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine.legacy.views import from_context, to_context, to_medical_image
from clara_compat.errors import ClaraError

__all__ = ["Items", "items_of", "view_of"]

Items = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""An item, or what a batching crop makes of one."""


def view_of(items: Items, name: str) -> TransformContext:
    """Return the context that legacy code sees: of one item, or of several with their images stacked (N...).

    Args:
        items: one item or a list of items with the same fields.
        name: the component, for messages.

    Raises:
        ClaraError: the images of a field differ in shape.
    """
    if isinstance(items, Mapping):
        return to_context(items)
    context = to_context(items[0])
    for field, value in items[0].items():
        if isinstance(value, torch.Tensor):
            context.set_image(field, _stacked([item[field] for item in items], field, name))
    return context


def items_of(context: TransformContext, before: Items, name: str) -> dict[str, Any] | list[dict[str, Any]]:
    """Return what legacy code left in ``context``: one item, or several when an image has a batch axis.

    Args:
        context: what the component returned.
        before: what :func:`view_of` was given.
        name: the component, for messages.

    Raises:
        ClaraError: the batched images differ in number, or an image holds data no tensor can hold.
    """
    batched = {
        field: image
        for field, image in context.items()
        if isinstance(image, MedicalImage) and image.get_shape_format().is_batched()
    }
    if not batched:
        return from_context(context, before if isinstance(before, Mapping) else before[0], name)
    counts = {field: len(image.get_data()) for field, image in batched.items()}
    count = next(iter(counts.values()))
    if set(counts.values()) != {count} or not count:
        told = ", ".join(f"'{field}' {number}" for field, number in counts.items())
        raise ClaraError(f"{name} left batches of different or no length: {told}; expected one length for all")
    return [_item(context, batched, before, i, name) for i in range(count)]


def _stacked(tensors: Sequence[torch.Tensor], field: str, name: str) -> MedicalImage:
    images = [to_medical_image(tensor) for tensor in tensors]
    shapes = {image.get_shape() for image in images}
    if len(shapes) > 1:
        raise ClaraError(
            f"{name} works on all crops of a scan at once, but those of '{field}' differ in shape "
            f"({', '.join(map(str, sorted(shapes)))}): put it in front of the transform that makes them differ"
        )
    first = images[0]
    return first.new_image(np.stack([image.get_data() for image in images]), first.get_shape_format().with_batch())


def _item(
    context: TransformContext, batched: Mapping[str, MedicalImage], before: Items, index: int, name: str
) -> dict[str, Any]:
    """Return item ``index``; its affine is its own where the component left the stack's affine as it was."""
    several: Sequence[Mapping[str, Any]] = [before] if isinstance(before, Mapping) else before
    first = several[0]
    own = several[index] if index < len(several) else first
    single = TransformContext(context)
    for field, image in batched.items():
        layout: ShapeFormat = image.get_shape_format().without_batch()
        one = image.new_image(image.get_data()[index], layout)
        given, stack = own.get(field), first.get(field)
        if isinstance(given, MetaTensor) and isinstance(stack, MetaTensor):
            affine = image.get_property(ImageProperty.AFFINE)
            if affine is not None and np.array_equal(affine, stack.affine.numpy()):
                one.set_property(ImageProperty.AFFINE, given.affine.numpy())
        single.set_image(field, one)
    return from_context(single, own, name)
