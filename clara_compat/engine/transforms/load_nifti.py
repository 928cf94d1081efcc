"""Load scans as channel-first images that know their legacy layout."""

from __future__ import annotations

from typing import Any

from monai.config import KeysCollection

from clara_compat.engine.readers.scan import read_scan
from clara_compat.engine.readers.volume import Volume
from clara_compat.engine.transforms.load_files import LoadFilesd

__all__ = ["LoadNiftid"]


class LoadNiftid(LoadFilesd):
    """Replace paths by the scans they name: NIfTI, and MetaImage, NRRD or a folder with one DICOM series.

    D, H and W are the file's axes in their order (x, y, z): nothing is transposed. A file of 3 axes gets one channel
    and the label ``DHW``, one of 2 axes ``HW``; the fourth axis of a NIfTI file is its channels (label ``DHWC``) unless
    ``nii_is_channels_first`` (``CDHW``); a plane with channels that this package wrote is ``HWC``. A list of files
    gives one channel each (``CDHW`` or ``CHW``). The affine is the (first) file's, from voxel indices to RAS mm, also
    where the format has another frame.

    Source: clara-3.1-transforms facts, sections 2.6 and 4.1.

    Args:
        keys: fields that hold a path (``str``, ``bytes``, path-like), or a list of paths.
        dtype: numpy data type of the result; labels are no exception, as in Clara.
        nii_is_channels_first: the channels of a 4-D NIfTI file are its first axis.
        as_closest_canonical: flip and swap axes so that they run as close as possible to right, anterior, superior.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: a file is missing, damaged or of another kind, has an unsupported number of axes, or the files of a
            list differ in shape.
    """

    expected = "a NIfTI file"

    def __init__(
        self,
        keys: KeysCollection,
        dtype: Any = "float32",
        nii_is_channels_first: bool = False,
        as_closest_canonical: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, dtype, allow_missing_keys)
        self.nii_is_channels_first = nii_is_channels_first
        self.as_closest_canonical = as_closest_canonical

    def read(self, path: str) -> Volume:
        """Read one scan, turned to the canonical orientation when that is asked for.

        Raises:
            ClaraError: it cannot be read or turned.
        """
        return read_scan(path, self.dtype, self.nii_is_channels_first, self.as_closest_canonical)
