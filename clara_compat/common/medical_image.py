"""An image as user code sees it: an array, its layout and its properties.

Source: Clara 3.1 page "Bring your own components" (``get_data``, ``new_image``, ``get_shape_format``,
``set_property``); clara-3.1-transforms facts, section 2.2.
"""

from __future__ import annotations

import copy as copying
from collections.abc import Mapping
from typing import Any

import numpy as np

from clara_compat.common.shape_format import ShapeFormat

__all__ = ["MedicalImage"]


class MedicalImage:
    """An image array with its :class:`ShapeFormat` and a dictionary of properties.

    The array is held, not copied: what is written into ``get_data()`` is written into the image.

    ``MedicalImage(data, shape_format)``, ``get_data``, ``set_data``, ``get_shape_format``, ``new_image`` and
    ``set_property`` are documented or seen in real code; the other methods must have existed, their names are
    assumed.

    Args:
        data: the pixels or voxels; a numpy array is held as it is, anything else goes through ``np.asarray``.
        shape_format: layout of ``data``, or its string.

    Raises:
        ValueError: the format is unknown, or ``data`` has another number of axes.

    Example::

        image = MedicalImage(np.zeros((64, 64, 32), np.float32), ShapeFormat.DHW)
        image.set_property(ImageProperty.SPACING, [0.8, 0.8, 2.5])  # mm
        brighter = image.new_image(image.get_data() + 1, image.get_shape_format())  # keeps the spacing
    """

    def __init__(self, data: Any, shape_format: ShapeFormat | str) -> None:
        self._properties: dict[str, Any] = {}
        self.set_data(data, shape_format)

    def __repr__(self) -> str:
        return f"MedicalImage(shape={self.get_shape()}, dtype={self._data.dtype}, shape_format={self._shape_format})"

    def get_data(self) -> np.ndarray[Any, Any]:
        """Return the array itself, not a copy."""
        return self._data

    def set_data(self, data: Any, shape_format: ShapeFormat | str) -> None:
        """Replace array and format; the properties stay.

        Args:
            data: the new array.
            shape_format: its layout.

        Raises:
            ValueError: the format is unknown, or ``data`` has another number of axes.
        """
        array = data if isinstance(data, np.ndarray) else np.asarray(data)
        layout = ShapeFormat(shape_format)
        if array.ndim != layout.get_number_of_dims():
            fitting = [str(known) for known in ShapeFormat if known.get_number_of_dims() == array.ndim]
            hint = f"; formats of {array.ndim} axes are {', '.join(fitting)}" if fitting else ""
            raise ValueError(
                f"image data of shape {tuple(array.shape)} has {array.ndim} axes, but shape format {layout} has "
                f"{layout.get_number_of_dims()}{hint}"
            )
        self._data: np.ndarray[Any, Any] = array
        self._shape_format = layout

    def get_shape_format(self) -> ShapeFormat:
        """Return the layout of the array."""
        return self._shape_format

    def get_shape(self) -> tuple[int, ...]:
        """Return the shape of the array, all axes."""
        return tuple(self._data.shape)

    def new_image(self, data: Any, shape_format: ShapeFormat | str) -> MedicalImage:
        """Return a new image of ``data`` that carries over all properties of this one.

        The dictionary is copied, the values in it are shared.

        Args:
            data: its array.
            shape_format: layout of ``data``.

        Raises:
            ValueError: as for the constructor.
        """
        image = MedicalImage(data, shape_format)
        image._properties = dict(self._properties)
        return image

    def copy(self) -> MedicalImage:
        """Return an image with a copy of the array and of the properties."""
        image = MedicalImage(self._data.copy(), self._shape_format)
        image._properties = copying.deepcopy(self._properties)
        return image

    def clone(self) -> MedicalImage:
        """Return a copy; another name of :meth:`copy`."""
        return self.copy()

    def set_property(self, key: str, value: Any) -> None:
        """Set one property (keys: :class:`~clara_compat.common.constants.ImageProperty`, or the user's own).

        Args:
            key: name of the property.
            value: anything.
        """
        self._properties[key] = value

    def get_property(self, key: str, default: Any = None) -> Any:
        """Return a property, or ``default`` when the image does not have it.

        Args:
            key: name of the property.
            default: what is returned without it.
        """
        return self._properties.get(key, default)

    def has_property(self, key: str) -> bool:
        """Whether the image has this property.

        Args:
            key: name of the property.
        """
        return key in self._properties

    def get_properties(self) -> dict[str, Any]:
        """Return the dictionary of properties itself, not a copy."""
        return self._properties

    def set_properties(self, properties: Mapping[str, Any]) -> None:
        """Replace all properties by a copy of ``properties``."""
        self._properties = dict(properties)
