"""Clara's ``LoadNifti``."""

from __future__ import annotations

from typing import Any

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.transforms.loader import ImageLoader
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry

__all__ = ["LoadNifti"]


class LoadNifti(ImageLoader):
    """Replace the path, or list of paths, in each field by the image.

    Source: clara-3.1-transforms facts, sections 2.6 and 4.1.

    Args:
        fields: fields that hold paths.
        as_closest_canonical: turn the axes as close to right, anterior, superior as flips and swaps can.
        dtype: data type of the images; labels are no exception.
        nii_is_channels_first: the channels of a NIfTI file of four axes are the first axis, not the last.
    """

    fidelity = assumed(
        "inferred from configs and MONAI's first port: 3-D files are DHW, the last axis of 4-D files is the channel, a "
        "list of files gives one channel each; the defaults of dtype (float32) and nii_is_channels_first (false) are "
        "those of Clara's reader; Clara took NIfTI only: MetaImage, NRRD and folders with one DICOM series are "
        "read as well, as a courtesy"
    )
    becomes = "clara_compat.engine.transforms.load_nifti.LoadNiftid"

    def __init__(
        self,
        fields: str | list[str],
        as_closest_canonical: bool = False,
        dtype: Any = "float32",
        nii_is_channels_first: bool = False,
    ) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.as_closest_canonical = str_to_bool(as_closest_canonical)
        self.dtype = dtype_name(dtype)
        self.nii_is_channels_first = str_to_bool(nii_is_channels_first)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loader."""
        return Entry(
            self.becomes,
            keys=self.fields,
            dtype=self.dtype,
            nii_is_channels_first=self.nii_is_channels_first,
            as_closest_canonical=self.as_closest_canonical,
        )

    def read_header(self, path: str) -> Geometry:
        """Return the geometry of a file, or of a folder with a DICOM series.

        Raises:
            ClaraError: it cannot be read.
        """
        from clara_compat.engine.readers.scan import scan_header

        header = scan_header(path, self.nii_is_channels_first, self.as_closest_canonical)
        return Geometry(header.size, header.spacing, header.channels)
