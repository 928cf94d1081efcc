"""Clara's ``SaveAsNifti``."""

from __future__ import annotations

import os
from pathlib import Path

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform

__all__ = ["SaveAsNifti"]


class SaveAsNifti(NativeTransform, MultiFieldTransformer):
    """Write the current images of the fields as NIfTI files, for a look at what passes; the item goes on unchanged.

    Source: clara-3.1-transforms facts, section 4.10.

    Args:
        fields: fields that hold images.
        out_dir: folder to write to; a relative one starts from the MMAR's root.
        interrupt: wait for Enter after each item; without a terminal nothing happens.
    """

    fidelity = assumed(
        "names of the files are not documented: <case>_<field>_e<epoch>_i<position>.nii.gz; a folder outside the MMAR "
        "is replaced by 'debug' in MMAR_CKPT_DIR, and interrupt does nothing without a terminal"
    )
    becomes = "clara_compat.engine.transforms.save_nifti.SaveNiftid"

    cacheable = False

    def __init__(self, fields: str | list[str], out_dir: str, interrupt: bool = False) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.out_dir = out_dir
        self.interrupt = interrupt

    def is_redirected(self, context: BundleContext) -> bool:
        """Whether ``out_dir`` lies neither in the MMAR nor beside ``context.debug_dir``, which then takes its place."""
        if not context.mmar:
            return False
        roots = [context.mmar]
        if not isinstance(context.debug_dir, Expression):
            roots.append(str(Path(context.debug_dir).parent))
        return not any(_is_below(os.path.join(context.mmar, self.out_dir), root) for root in roots)

    def notices(self, context: BundleContext) -> list[str]:
        """Say where the files go when not where the config says."""
        if not self.is_redirected(context):
            return []
        return [f"'{self.out_dir}' lies outside the MMAR: the debug files go to {context.debug_dir}"]

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the tap."""
        folder = context.debug_dir if self.is_redirected(context) else os.path.join(context.mmar, self.out_dir)
        return Entry(self.becomes, keys=self.fields, output_dir=folder, interrupt=self.interrupt)


def _is_below(folder: str, root: str) -> bool:
    folder, root = os.path.realpath(folder), os.path.realpath(root)
    return os.path.commonpath([folder, root]) == root
