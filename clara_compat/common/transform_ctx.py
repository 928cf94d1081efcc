"""What a transform gets and returns: the fields of one data item.

Source: Clara 3.1 page "Bring your own components" (``ctx[field]``, ``get_image``, ``set_image``);
clara-3.1-transforms facts, section 2.4.
"""

from __future__ import annotations

import os

from clara_compat.common.base_ctx import BaseContext
from clara_compat.common.medical_image import MedicalImage

__all__ = ["TransformContext"]


class TransformContext(BaseContext):
    """The fields of one data item by name: file paths before the loader, images after it, and anything else.

    ``ctx[field]`` is the raw item: a path (``str`` or ``bytes``, or a list of them) until a loader has replaced it
    by a :class:`MedicalImage`. Other values, such as a vector of class labels, may stand beside the images.
    It is a dictionary: ``in``, iteration, ``keys`` and ``get`` work as usual.

    Example::

        ctx = TransformContext(image=MedicalImage(np.zeros((1, 8, 8, 8)), "CDHW"), name="case 1")
        ctx.get_image("image").get_shape_format().get_channel_axis()  # 0
    """

    _item = "field"

    def contains(self, field: str) -> bool:
        """Whether there is such a field.

        Args:
            field: its name.
        """
        return field in self

    def get_image(self, field: str) -> MedicalImage:
        """Return the image of a field.

        Args:
            field: its name.

        Raises:
            KeyError: there is no such field; the message lists the fields and the nearest name.
            TypeError: the field holds something else, such as a path that no loader has read yet.
        """
        item = self[field]
        if isinstance(item, MedicalImage):
            return item
        if isinstance(item, (str, bytes, os.PathLike)):
            raise TypeError(
                f"field {field!r} still holds the path {item!r}, not an image: put a loader that reads it first"
            )
        raise TypeError(f"field {field!r} holds a {type(item).__name__}, not a MedicalImage: read it as ctx[{field!r}]")

    def set_image(self, field: str, img: MedicalImage) -> None:
        """Add or replace the image of a field.

        Args:
            field: its name.
            img: the image.

        Raises:
            TypeError: the field name is not a string, or the value is not a :class:`MedicalImage`.
        """
        if not isinstance(img, MedicalImage):
            raise TypeError(
                f"set_image({field!r}, ...) got a {type(img).__name__}, expected a MedicalImage: "
                "wrap the array with image.new_image(array, image.get_shape_format())"
            )
        self.must_set(field, img)
