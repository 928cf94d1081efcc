"""Tensors as legacy code sees them: ``MedicalImage`` whose parts are made when they are first asked for.

Most components look at one of an item's images and leave its properties alone. What nobody has asked for is neither
decoded nor encoded again, which takes longer than many a numpy function (benchmarks/legacy_adapter.py).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import torch
from monai.data import MetaTensor

from clara_compat.common.constants import ImageProperty
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine import properties
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["OF_EACH", "StackView", "TensorView", "label_of", "layout_of", "same", "untold_source"]

OF_EACH: Final = "_of_each"
"""Property of an image of several items (N...): the properties of each. It never reaches a tensor."""


class _Untold(MedicalImage):
    """An image with the properties of a view, read when they are first asked for.

    Args:
        data: the array.
        shape_format: its layout.
        source: the view.
    """

    def __init__(self, data: Any, shape_format: ShapeFormat | str, source: TensorView) -> None:
        self.source = source
        self.set_data(data, shape_format)

    def new_image(self, data: Any, shape_format: ShapeFormat | str) -> MedicalImage:
        """Return a new image of ``data`` that carries over all properties of this one."""
        if untold_source(self) is None:
            return super().new_image(data, shape_format)
        return _Untold(data, shape_format, self.source)

    def __getattr__(self, name: str) -> Any:
        """Make what :class:`MedicalImage` keeps under ``name``; called once, as long as it is not there."""
        if name != "_properties":
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        self._properties = dict(self.source.told)
        return self._properties


class TensorView(_Untold):
    """A tensor as legacy code sees it: its own memory, unless a cache may hold that.

    Args:
        tensor: channel-first (C, spatial...).
    """

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor

    @property
    def source(self) -> TensorView:  # type: ignore[override]
        """The view itself."""
        return self

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has seen the array or changed the properties, so that the tensor is what it was."""
        if "_data" in vars(self):
            return False
        return "_properties" not in vars(self) or same(self._properties, self.tell())

    @cached_property
    def told(self) -> dict[str, Any]:
        """The properties as they were first asked for; what is written into one of them shows here, too."""
        return self.tell()

    def tell(self) -> dict[str, Any]:
        """Return the properties, without the layout; the affine is a copy.

        An image that MONAI has loaded has the name of its file and its spacing, as one that Clara's loaders gave.
        """
        known = properties.read(self.tensor)
        known.pop(ImageProperty.SHAPE_FORMAT, None)
        if isinstance(self.tensor, MetaTensor):
            file = self.tensor.meta.get("filename_or_obj")
            if properties.KEY not in self.tensor.meta and isinstance(file, str):
                known[ImageProperty.FILENAME] = file
                known[ImageProperty.SPACING] = properties.affine_spacing(self.tensor)
            known[ImageProperty.AFFINE] = self.tensor.affine.detach().cpu().numpy().copy()
        return known

    def layout(self) -> ShapeFormat:
        """Return the layout in which the tensor is shown."""
        return layout_of(self.tensor)

    def get_shape(self) -> tuple[int, ...]:
        """Return the shape of the array, which is not made for it."""
        return super().get_shape() if "_data" in vars(self) else self.shape()

    def shape(self) -> tuple[int, ...]:
        """Return the shape the array will have."""
        return _laid_out_shape(self.tensor.shape, self._shape_format)

    def array(self) -> np.ndarray:
        """Return the array in the image's layout."""
        array = _channel_first(self.tensor)
        return _laid_out(array.copy() if properties.is_shared(self.tensor) else array, self._shape_format)

    def __getattr__(self, name: str) -> Any:
        """Make what :class:`MedicalImage` keeps under ``name``; called once, as long as it is not there."""
        if name == "_data":
            self._data = self.array()
        elif name == "_shape_format":
            self._shape_format = self.layout()
        else:
            return super().__getattr__(name)
        return vars(self)[name]


class StackView(TensorView):
    """The tensors of several items as one image with an N axis, stacked when the array is asked for.

    Args:
        tensors: of one field, channel-first (C, spatial...).
        field: the field, for messages.
        name: the component, for messages.
    """

    def __init__(self, tensors: Sequence[torch.Tensor], field: str, name: str) -> None:
        super().__init__(tensors[0])
        self.tensors = tensors
        self.field = field
        self.name = name

    def tell(self) -> dict[str, Any]:
        """Return the first item's properties, with those of each below them."""
        of_each = tuple(TensorView(tensor).tell() for tensor in self.tensors)
        return {**copy.deepcopy(of_each[0]), OF_EACH: of_each}

    def layout(self) -> ShapeFormat:
        """Return the layout in which the tensors are shown."""
        return super().layout().with_batch()

    def shape(self) -> tuple[int, ...]:
        """Return the shape the stacked array will have.

        Raises:
            ClaraError: the items differ in shape.
        """
        if len({tensor.shape for tensor in self.tensors}) > 1:
            shapes = sorted({TensorView(tensor).get_shape() for tensor in self.tensors})
            raise ClaraError(
                f"{self.name} works on all crops of a scan at once, but those of '{self.field}' differ in shape "
                f"({', '.join(map(str, shapes))}): put it in front of the transform that makes them differ"
            )
        return _laid_out_shape((len(self.tensors), *self.tensors[0].shape), self._shape_format)

    def array(self) -> np.ndarray:
        """Return the stacked array in the image's layout.

        Raises:
            ClaraError: the items differ in shape.
        """
        self.shape()
        return _laid_out(np.stack([_channel_first(tensor) for tensor in self.tensors]), self._shape_format)


def untold_source(image: MedicalImage) -> TensorView | None:
    """Return the view whose properties an image still has, because nobody has asked for them; None when there is none.

    Args:
        image: what a component left.
    """
    return image.source if isinstance(image, _Untold) and "_properties" not in vars(image) else None


def _laid_out(array: np.ndarray, shape_format: ShapeFormat) -> np.ndarray:
    """Return a view of a channel-first array in the layout of a format.

    Args:
        array: (C, spatial...), or (N, C, spatial...) for a format with a batch axis.
        shape_format: the format.
    """
    front = int(shape_format.is_batched())
    if not shape_format.is_channeled():
        return array[:, 0] if front else array[0]
    axis = shape_format.get_channel_axis()
    return array if axis == front else np.moveaxis(array, front, axis)


def _laid_out_shape(shape: Sequence[int], shape_format: ShapeFormat) -> tuple[int, ...]:
    return _laid_out(np.broadcast_to(np.uint8(0), tuple(shape)), shape_format).shape


def label_of(tensor: torch.Tensor) -> str | None:
    """Return the layout label of a tensor, without decoding its other properties.

    Args:
        tensor: the image.
    """
    text = tensor.meta.get(properties.KEY) if isinstance(tensor, MetaTensor) else None
    return None if text is None else json.loads(text).get(ImageProperty.SHAPE_FORMAT)


def layout_of(tensor: torch.Tensor) -> ShapeFormat:
    """Return the layout in which a tensor (C, spatial...) is shown: that of its label.

    A transform may have given channels to an image that had no channel axis: it is shown channels-first then, and so
    is a tensor without a label.

    Args:
        tensor: the image.
    """
    known = label_of(tensor)
    if known is None:
        return ShapeFormat.CDHW if tensor.ndim == 4 else ShapeFormat.CHW
    layout = ShapeFormat(known)
    return layout if layout.is_channeled() or len(tensor) == 1 else layout.with_channels_first()


def _channel_first(tensor: torch.Tensor) -> np.ndarray:
    return plain(tensor).detach().cpu().numpy()


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal: numbers, text, arrays, and lists, tuples and dictionaries of such.

    Args:
        one: a value.
        other: another.
    """
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        return type(one) is type(other) and torch.equal(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
