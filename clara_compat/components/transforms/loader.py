"""What the loaders of the catalogue have in common."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from clara_compat.common.files import endless
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["ImageLoader"]


class ImageLoader(NativeTransform, MultiFieldTransformer):
    """A transform that replaces the path, or the list of paths, in each field by the image.

    A list of files gives one channel per file.
    """

    def read_header(self, path: str) -> Geometry:
        """Return the geometry of one file as this loader would give it, without reading its voxels.

        Args:
            path: the file.

        Raises:
            ClaraError: the file cannot be read.
        """
        raise NotImplementedError(f"{type(self).__name__} does not read headers")

    def load_geometry(self, item: Mapping[str, Any]) -> dict[str, Geometry]:
        """Return the geometry of the fields this loader loads of an item of a data list.

        Args:
            item: paths by their fields.

        Raises:
            ClaraError: a file cannot be read, a list of paths is empty, or a field is named twice.
        """
        for field, times in Counter(self.fields).items():
            if times > 1:
                raise ClaraError(f"'fields' names '{field}' {times} times: loaded once, it is no path; name it once")
        return {field: self._field_geometry(field, item[field]) for field in self.fields if field in item}

    def _field_geometry(self, field: str, value: Any) -> Geometry:
        several = isinstance(value, (list, tuple))
        if several and not value:
            raise ClaraError(f"field '{field}' is an empty list, expected a path or a list of paths")
        path = str(value[0] if several else value)
        if (kind := endless(path)) is not None:
            raise ClaraError(f"'{path}' is {kind}, expected a file")
        if not os.path.exists(path):
            raise ClaraError(f"'{path}' does not exist: check DATA_ROOT and the data list")
        header = self.read_header(path)
        return header._replace(channels=len(value) if several else header.channels, original=header.size)
