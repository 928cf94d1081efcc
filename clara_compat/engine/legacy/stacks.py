"""Several items of one scan as one batched image, and back.

After a batching crop an item is a list of items, as in MONAI. Legacy code knew them as one image with an N axis: it is
called once, with all of them stacked, and what it returns is split again (rule 1 of the house).

The component sees the properties of the first item. Those it leaves as they are, each item gets back as its own; what
it does to the affine it sees is done to the affine of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from clara_compat.common.constants import ImageProperty
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine.legacy.images import OF_EACH, StackView, TensorView, same, untold_source
from clara_compat.engine.legacy.views import from_context, to_context, to_tensor
from clara_compat.errors import ClaraError

__all__ = ["Items", "items_of", "view_of"]

Items = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""An item, or what a batching crop makes of one."""


def view_of(items: Items, name: str) -> TransformContext:
    """Return the context that legacy code sees: of one item, or of several with their images stacked (N...).

    Args:
        items: one item or a list of items with the same fields.
        name: the component, for messages.
    """
    if isinstance(items, Mapping):
        return to_context(items)
    context = to_context(items[0])
    for field, value in items[0].items():
        if isinstance(value, torch.Tensor):
            context.set_image(field, StackView([item[field] for item in items], field, name))
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
    several: Sequence[Mapping[str, Any]] = [before] if isinstance(before, Mapping) else before
    batched = {field: value for field, value in context.items() if _is_batched(value)}
    if not batched:
        return from_context(context, several[0], name)
    counts = {field: _length(image) for field, image in batched.items()}
    count = next(iter(counts.values()))
    if set(counts.values()) != {count} or not count:
        told = ", ".join(f"'{field}' {number}" for field, number in counts.items())
        raise ClaraError(f"{name} left batches of different or no length: {told}; expected one length for all")
    rest = TransformContext({field: value for field, value in context.items() if field not in batched})
    return [_item(rest, batched, several, i, name) for i in range(count)]


def _is_batched(value: Any) -> bool:
    if isinstance(value, TensorView) and value.is_untouched:
        return isinstance(value, StackView)
    return isinstance(value, MedicalImage) and value.get_shape_format().is_batched()


def _length(image: MedicalImage) -> int:
    return len(image.tensors if isinstance(image, StackView) and image.is_untouched else image.get_data())


def _item(
    rest: TransformContext,
    batched: Mapping[str, MedicalImage],
    several: Sequence[Mapping[str, Any]],
    index: int,
    name: str,
) -> dict[str, Any]:
    """Return item ``index``; what the component left alone is its own.

    Args:
        rest: what has no batch axis.
        batched: the images that have one.
        several: the items that the component was given.
        index: which one.
        name: the component, for messages.
    """
    first = several[0]
    own = several[index] if index < len(several) else first
    kept = {field: own[field] for field, value in rest.items() if field in own and same(value, first.get(field))}
    item = from_context(TransformContext(rest | kept), own, name)
    for field, image in batched.items():
        if isinstance(image, StackView) and image.is_untouched:
            item[field] = image.tensors[index]
        else:
            item[field] = to_tensor(_image_of(image, index), own.get(field), field, name)
    return item


def _image_of(image: MedicalImage, index: int) -> MedicalImage:
    """Return item ``index`` of a batched image, with its own properties."""
    data, layout = image.get_data()[index], image.get_shape_format().without_batch()
    source = untold_source(image)
    if isinstance(source, StackView) and len(source.tensors) == len(image.get_data()):
        return TensorView(source.tensors[index]).new_image(data, layout)
    one = MedicalImage(data, layout)
    one.set_properties(_own_properties(image, index))
    return one


def _own_properties(image: MedicalImage, index: int) -> dict[str, Any]:
    """Return the properties of item ``index``: its own where the component left the first item's as they were."""
    found = dict(image.get_properties())
    of_each = found.pop(OF_EACH, ())
    if len(of_each) != len(image.get_data()):
        return found
    first, own = of_each[0], of_each[index]
    result = {key: value for key, value in own.items() if key not in first}
    for key, value in found.items():
        if key not in first or not same(value, first[key]):
            is_moved = key == ImageProperty.AFFINE and key in first and key in own
            result[key] = _moved_alike(own[key], first[key], value) if is_moved else value
        elif key in own:
            result[key] = own[key]
    return result


def _moved_alike(own: Any, first: Any, seen: Any) -> Any:
    """Return the affine of an item when ``first`` has become ``seen``: voxels were moved alike in all of them."""
    try:
        return own @ np.linalg.inv(first) @ np.asarray(seen, dtype=np.float64)
    except (np.linalg.LinAlgError, TypeError, ValueError):
        return seen
