"""Clara's ``WritePng``."""

from __future__ import annotations

import os
from pathlib import Path

from clara_compat.common.medical_image import MedicalImage
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.readers.png_reader import PngReader
from clara_compat.components.writers._case_writer import CaseWriter
from clara_compat.components.writers.nifti_writer import channel_first

__all__ = ["WritePng"]


class WritePng(CaseWriter):
    """Write a 2-D field of each evaluated item as PNG.

    Source: clara-3.1-transforms facts, section 2.6.

    Args:
        field: field that holds a 2-D image of whole numbers, of one channel (grey) or three (red, green, blue).
        write_path: folder of all results; a relative one starts from the MMAR's root.
    """

    fidelity = assumed(
        "only the name and the field are documented: whole numbers from 0 are written as they are, in 8 bits or, grey "
        "and above 255, in 16, to <write_path>/<case>/<case>_<field>.png; anything else is an error, nothing is scaled"
    )
    becomes = "clara_compat.engine.transforms.write_results.WritePngd"
    ending = ".png"

    def __init__(self, field: str, write_path: str = "") -> None:
        super().__init__(field, write_path)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the transform that writes, for the end of the post-processing."""
        folder = os.path.join(context.mmar, self.write_path)
        return Entry(self.becomes, keys=[self.field], output_dir=folder, names=[self.field])

    def save(self, image: MedicalImage, path: Path) -> None:
        """Write one image."""
        from clara_compat.engine.writers.png import write_png

        write_png(path, channel_first(image, path.name))

    def load(self, path: Path) -> MedicalImage:
        """Read what :meth:`save` wrote."""
        return PngReader().read(str(path))
