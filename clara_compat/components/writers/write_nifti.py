"""Clara's ``WriteNifti``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from clara_compat.common.medical_image import MedicalImage
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.readers.nifti_reader import NiftiReader
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.writers._case_writer import CaseWriter
from clara_compat.components.writers.nifti_writer import NiftiWriter

__all__ = ["WriteNifti"]


class WriteNifti(CaseWriter):
    """Write a field of each evaluated item as NIfTI.

    Source: clara-3.1-engine facts, section 2.10; clara-3.1-transforms facts, section 2.6.

    Args:
        field: field that holds an image.
        dtype: data type of the files.
        write_path: folder of all results; a relative one starts from the MMAR's root.
        use_identity: write an identity affine.
        revert_canonical: undo the loader's turn to the canonical orientation.
    """

    fidelity = assumed(
        "one folder per input is documented, the file's name in it is not: <case>_<field>.nii.gz; nor is the default "
        "of dtype: float32; two inputs of the same name are an error instead of one overwriting the other"
    )
    becomes = "clara_compat.engine.transforms.write_results.WriteNiftid"
    ending = ".nii.gz"

    def __init__(
        self,
        field: str,
        dtype: Any = "float32",
        write_path: str = "",
        use_identity: bool = False,
        revert_canonical: bool = False,
    ) -> None:
        super().__init__(field, write_path)
        self.dtype = dtype_name(dtype)
        self.use_identity = use_identity
        self.revert_canonical = revert_canonical

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the transform that writes, for the end of the post-processing."""
        return Entry(
            self.becomes,
            keys=[self.field],
            output_dir=os.path.join(context.mmar, self.write_path),
            names=[self.field],
            dtype=self.dtype,
            use_identity=self.use_identity,
            revert_canonical=self.revert_canonical,
        )

    def save(self, image: MedicalImage, path: Path) -> None:
        """Write one image."""
        NiftiWriter(self.dtype, self.use_identity, revert_canonical=self.revert_canonical).write(image, path)

    def load(self, path: Path) -> MedicalImage:
        """Read what :meth:`save` wrote, in the type it was written in."""
        return NiftiReader(self.dtype).read(str(path))
