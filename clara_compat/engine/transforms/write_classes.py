"""Write the class values of all cases into one file."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from clara_compat.common.class_table import ClassTable
from clara_compat.engine.distributed.gather import everybody
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["WriteClassesd"]


class WriteClassesd(MapTransform):
    """Keep a vector of class values per case, and write them all at the end, whole or not at all.

    The file has a row for each case: the image's file, then a value for each class. MONAI's ``ClassificationSaver``
    writes the same, but cannot take over the rows of an earlier run.

    Args:
        key: field with the values: tensor, array or list of numbers.
        file: the CSV file.
        source_key: field with the image whose file the case is named after.
        allow_missing_keys: leave out items that do not have the field.
    """

    def __init__(
        self, key: str, file: str | os.PathLike[str], source_key: str = "image", allow_missing_keys: bool = False
    ) -> None:
        super().__init__(key, allow_missing_keys)
        self.source_key = source_key
        self.table = ClassTable(file)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Keep the item's values and return the item.

        Raises:
            ClaraError: the field holds no numbers, or nothing says which file the item comes from.
        """
        d = dict(data)
        source = d.get(self.source_key)
        name = source.meta.get("filename_or_obj") if isinstance(source, MetaTensor) else None
        if name is None:
            raise ClaraError(f"'{self.source_key}' does not say which file it comes from, so the row has no name")
        for key in self.key_iterator(d):
            value = plain(d[key]).detach().cpu().numpy() if isinstance(d[key], torch.Tensor) else d[key]
            self.table.add(str(name), value, f"field '{key}'")
        return d

    def is_written(self, file: Any) -> bool:
        """Whether a file of an earlier run has a row of the case with this image.

        Args:
            file: path of the image.
        """
        return self.table.holds(_name(file))

    def restored(self, file: Any) -> dict[str, torch.Tensor]:
        """Return the values of an earlier run, which are kept.

        Args:
            file: path of the image.
        """
        values = torch.from_numpy(self.table.take_over(_name(file)))
        return {str(key): values for key in self.keys}

    def paths(self, file: Any) -> list[str]:
        """Return the file, which is the same for all cases.

        Args:
            file: path of the image.
        """
        return [str(self.table.file)]

    def collect(self) -> None:
        """Take over what the other processes of the run have kept."""
        self.table.update(everybody(self.table.rows))

    def finalize(self) -> None:
        """Write the file."""
        self.table.write()


def _name(file: Any) -> str:
    """Return what the image says of the file or files it was read from."""
    return str(file[0] if isinstance(file, (list, tuple)) and file else file)
