"""The base of user code that changes one image and depends on its layout.

Source: clara-3.1-transforms facts, section 2.5. The name of the entry point and what a handler returns for "not
handled" are assumed after MONAI's first versions, which ported the class.
"""

from __future__ import annotations

from typing import Any

from clara_compat.common.medical_image import MedicalImage

__all__ = ["MultiFormatTransformer"]


class MultiFormatTransformer:
    """Hands an image to the method for its :class:`~clara_compat.common.shape_format.ShapeFormat`.

    A subclass writes ``_handle_<format in lower case>(self, img)`` for the formats it knows, such as ``_handle_chw``,
    and ``_handle_any(self, img)`` for all others. A handler that returns None has not handled the image, and
    ``_handle_any`` is asked.

    Example::

        class Invert(MultiFormatTransformer):
            def _handle_any(self, img):
                return img.new_image(-img.get_data(), img.get_shape_format())
    """

    def __call__(self, img: MedicalImage, *args: Any, **kwargs: Any) -> Any:
        """Return what :meth:`transform` returns."""
        return self.transform(img, *args, **kwargs)

    def transform(self, img: MedicalImage, *args: Any, **kwargs: Any) -> Any:
        """Return what the handler of the image's format makes of it.

        Args:
            img: the image.
            args: passed on to the handler.
            kwargs: passed on to the handler.

        Raises:
            TypeError: ``img`` is not a :class:`MedicalImage`.
            NotImplementedError: the subclass does not handle the format.
        """
        if not isinstance(img, MedicalImage):
            raise TypeError(f"{type(self).__name__} got a {type(img).__name__}, expected a MedicalImage")
        own = f"_handle_{img.get_shape_format().value.lower()}"
        for name in (own, "_handle_any"):
            handler = getattr(self, name, None)
            result = None if handler is None else handler(img, *args, **kwargs)
            if result is not None:
                return result
        raise NotImplementedError(
            f"{type(self).__name__} does not handle images of the format {img.get_shape_format()}: write {own}(self, "
            "img) or _handle_any(self, img), and let it return the result"
        )

    def _handle_any(self, img: MedicalImage, *args: Any, **kwargs: Any) -> Any:
        """Handle an image of any other format; None: not handled."""
        return None
