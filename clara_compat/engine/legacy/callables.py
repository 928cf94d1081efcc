"""Transforms that are no Clara classes: callables from dictionary to dictionary.

Clara's annotation server took any callable that is given the fields of an item as arrays and returns them
(clara-3.1-transforms facts, section 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.errors import ClaraError

__all__ = ["CallableTransformer"]


class CallableTransformer:
    """Runs ``function(data)`` on the fields of a context: images as their arrays, everything else as it is.

    An array that comes back keeps the layout and the properties of the image it stands for; the field of an array that
    had no image before must be made from another one by a Clara class.

    Args:
        function: takes a dictionary and returns one (or None, having changed the one it was given).
    """

    def __init__(self, function: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        self.function = function
        self.name = type(function).__name__

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        """Run the function.

        Args:
            transform_ctx: the item.

        Raises:
            ClaraError: it returned no dictionary, or an array whose layout is not known.
        """
        given = {f: v.get_data() if isinstance(v, MedicalImage) else v for f, v in transform_ctx.items()}
        result = self.function(given)
        result = given if result is None else result
        if not isinstance(result, dict):
            raise ClaraError(f"{self.name} returned a {type(result).__name__}: expected a dictionary of the fields")
        after = TransformContext()
        for field, value in result.items():
            before = transform_ctx.get(field)
            if isinstance(before, MedicalImage) and isinstance(value, np.ndarray):
                after[field] = self._image(before, value, field)
            else:
                after[field] = value
        return after

    def _image(self, before: MedicalImage, array: np.ndarray[Any, Any], field: str) -> MedicalImage:
        if array is before.get_data():
            return before
        layout = before.get_shape_format()
        if array.ndim != layout.get_number_of_dims():
            raise ClaraError(
                f"{self.name} left an array of {array.ndim} axes in '{field}', which was {layout}: keep the axes, or "
                "write a class with transform(self, transform_ctx) that says the new format"
            )
        return before.new_image(array, layout)
