"""The base of transforms that do the same to several fields.

Source: Clara 3.1 page "Bring your own components"; clara-3.1-transforms facts, section 2.5.
"""

from __future__ import annotations

from collections.abc import Sequence

from clara_compat.components.transforms.transformer import Transformer
from clara_compat.errors import ClaraError

__all__ = ["MultiFieldTransformer"]


class MultiFieldTransformer(Transformer):
    """A transform over the fields in ``self.fields``, a list of names.

    Args:
        fields: one field name or a list of them.

    Raises:
        ClaraError: no name, or a name that is not a non-empty string.

    Example::

        class Halve(MultiFieldTransformer):
            def transform(self, transform_ctx):
                for field in self.fields:
                    image = transform_ctx.get_image(field)
                    half = image.new_image(image.get_data() / 2, image.get_shape_format())
                    transform_ctx.set_image(field, half)
                return transform_ctx
    """

    def __init__(self, fields: str | Sequence[str]) -> None:
        Transformer.__init__(self)
        names = [fields] if isinstance(fields, str) else fields
        if not isinstance(names, (list, tuple)) or not names or not all(isinstance(n, str) and n for n in names):
            raise ClaraError(
                f"argument 'fields' of {type(self).__name__} must be a field name or a list of field names, "
                f'got {fields!r}: write for example ["image", "label"]'
            )
        self.fields: list[str] = list(names)
