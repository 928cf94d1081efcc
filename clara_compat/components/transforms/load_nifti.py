"""Clara's ``LoadNifti``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.component import exact
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.transforms.loader import ImageLoader
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry
from clara_compat.errors import ClaraError

__all__ = ["LoadNifti"]


class LoadNifti(ImageLoader):
    """Replace the path, or list of paths, in each field by the image.

    Source: clara-3.1-transforms facts, sections 2.6 and 4.1.

    Args:
        fields: fields that hold paths.
        as_closest_canonical: turn the axes as close to right, anterior, superior as flips and swaps can.
        dtype: data type of the images; labels are no exception.
        nii_is_channels_first: the channels of a file of four axes are the first axis, not the last.
    """

    fidelity = exact(
        "3-D files are DHW, the last axis of 4-D files is the channel, a list of files gives one channel each; the "
        "defaults of dtype (float32) and nii_is_channels_first (false) are those of Clara's reader"
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
        self.as_closest_canonical = as_closest_canonical
        self.dtype = dtype_name(dtype)
        self.nii_is_channels_first = nii_is_channels_first

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
        """Return the geometry of a NIfTI file.

        Raises:
            ClaraError: the file cannot be read.
        """
        import nibabel

        try:
            image = nibabel.load(path)
        except Exception as error:  # noqa: BLE001 -- nibabel and gzip raise many types for a damaged file
            raise ClaraError(f"{path} cannot be read as NIfTI: {error}") from None
        shape = tuple(int(n) for n in image.shape)
        spacing = tuple(float(zoom) for zoom in image.header.get_zooms()[: min(len(shape), 3)])
        if len(shape) != 4:
            return Geometry(shape[:3], spacing)
        return (
            Geometry(shape[1:], spacing, shape[0])
            if self.nii_is_channels_first
            else Geometry(shape[:3], spacing, shape[3])
        )
