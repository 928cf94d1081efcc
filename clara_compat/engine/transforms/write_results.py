"""Write the results of an evaluation, one file per case and field."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import ensure_tuple

from clara_compat.common.result_files import ResultFiles
from clara_compat.engine import properties
from clara_compat.engine.distributed.gather import everybody
from clara_compat.engine.readers.nifti import read_nifti
from clara_compat.engine.readers.picture import read_picture
from clara_compat.engine.readers.volume import Volume
from clara_compat.engine.tensors import plain
from clara_compat.engine.writers.nifti import affine_to_restore, write_nifti
from clara_compat.engine.writers.png import write_png
from clara_compat.errors import ClaraError

__all__ = ["WriteNiftid", "WritePngd"]


class _WriteResultsd(MapTransform):
    """Write fields and pass the item on unchanged."""

    ending = ""

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | os.PathLike[str],
        names: str | Sequence[str] | None = None,
        source_key: str = "image",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        fields = self.keys if names is None else ensure_tuple(names)
        self.source_key = source_key
        self.files = {
            key: ResultFiles(output_dir, str(field), self.ending) for key, field in zip(self.keys, fields, strict=True)
        }

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Write the item's fields and return the item."""
        d = dict(data)
        for key in self.key_iterator(d):
            self.save(self.files[key].claim(self._source(d, key)), d[key], str(key))
        return d

    def save(self, path: Path, image: torch.Tensor, field: str) -> None:
        """Write one image."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a file is written")

    def load(self, path: str) -> Volume:
        """Read what :meth:`save` wrote."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a file is read")

    def is_written(self, file: Any) -> bool:
        """Whether the results of the case with this image are there, from an earlier run."""
        return all(Path(path).is_file() for path in self.paths(file))

    def restored(self, file: Any) -> dict[str, torch.Tensor]:
        """Return the fields of an earlier run: what was written, where it lies.

        Raises:
            ClaraError: a file is missing or damaged.
        """
        found: dict[str, torch.Tensor] = {}
        for key, files in self.files.items():
            volume = self.load(str(files.path(file)))
            found[str(key)] = MetaTensor(torch.from_numpy(volume.data), affine=torch.from_numpy(volume.affine))
        return found

    def paths(self, file: Any) -> list[str]:
        """Return the files of the case with this image."""
        return [str(files.path(file)) for files in self.files.values()]

    def collect(self) -> None:
        """Look whether two processes have written the same file.

        Raises:
            ClaraError: two cases have the same name.
        """
        for files in self.files.values():
            for claimed in everybody(files.claimed):
                for path, owner in claimed.items():
                    files.claim_path(path, owner)

    def finalize(self) -> None:
        """Nothing is left to do after the last case."""

    def _source(self, item: Mapping[Hashable, Any], key: Hashable) -> str:
        for image in (item.get(self.source_key), item[key]):
            if isinstance(image, MetaTensor) and image.meta.get("filename_or_obj"):
                return str(image.meta["filename_or_obj"])
        raise ClaraError(f"neither '{self.source_key}' nor '{key}' says which file it comes from, so it has no name")


class WriteNiftid(_WriteResultsd):
    """Write fields to ``<output_dir>/<case>/<case>_<field>.nii.gz`` and pass the item on unchanged.

    The affine is the image's (RAS mm), the channels are the last axis, a single one is left out. A file appears whole
    or not at all. ``SaveImaged`` has no identity affine, cannot undo the canonical orientation of a loader, and
    overwrites the results of another case of the same name.

    Args:
        keys: fields with channel-first tensors (C, spatial...).
        output_dir: folder of all results.
        names: what stands for each key in the file's name; the keys themselves by default.
        source_key: field whose file the case is named after; without it the file of the field itself.
        dtype: numpy data type of the files; decimals are cut off by whole-number types.
        use_identity: write an identity affine.
        revert_canonical: turn the axes back to those of the case's file.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: a value does not fit the type, two cases have the same name, or a file cannot be written.
    """

    ending = ".nii.gz"

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | os.PathLike[str],
        names: str | Sequence[str] | None = None,
        source_key: str = "image",
        dtype: Any = "float32",
        use_identity: bool = False,
        revert_canonical: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir, names, source_key, allow_missing_keys)
        self.dtype = np.dtype(dtype)
        self.use_identity = use_identity
        self.revert_canonical = revert_canonical

    def save(self, path: Path, image: torch.Tensor, field: str) -> None:
        """Write one image.

        Args:
            path: the file.
            image: (C, spatial...).
            field: its name, for messages.
        """
        affine = image.affine.cpu().numpy() if isinstance(image, MetaTensor) else np.eye(4)
        like = affine_to_restore(properties.read(image), field) if self.revert_canonical else None
        write_nifti(path, _array(image), affine, self.dtype, like, use_identity=self.use_identity)

    def load(self, path: str) -> Volume:
        """Read what :meth:`save` wrote, in the type it was written in.

        Args:
            path: the file.
        """
        return read_nifti(path, np.uint8 if self.dtype == np.bool_ else self.dtype, False)


class WritePngd(_WriteResultsd):
    """Write 2-D fields to ``<output_dir>/<case>/<case>_<field>.png`` and pass the item on unchanged.

    Whole numbers are written as they are: one channel as grey values of 8 or 16 bits, three as red, green and blue. A
    file appears whole or not at all.

    Args:
        keys: fields with channel-first tensors (1, H, W) or (3, H, W).
        output_dir: folder of all results.
        names: what stands for each key in the file's name; the keys themselves by default.
        source_key: field whose file the case is named after; without it the file of the field itself.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: an image does not fit a PNG file, two cases have the same name, or a file cannot be written.
    """

    ending = ".png"

    def save(self, path: Path, image: torch.Tensor, field: str) -> None:
        """Write one image.

        Args:
            path: the file.
            image: (C, spatial...).
            field: its name, for messages.
        """
        write_png(path, _array(image))

    def load(self, path: str) -> Volume:
        """Read what :meth:`save` wrote.

        Args:
            path: the file.
        """
        return read_picture(path, np.float32)


def _array(image: torch.Tensor) -> np.ndarray[Any, Any]:
    return plain(image).detach().cpu().numpy()
