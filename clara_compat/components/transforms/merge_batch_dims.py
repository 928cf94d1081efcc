"""Clara's ``MergeBatchDims``."""

from __future__ import annotations

from clara_compat.components.component import approximate
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform

__all__ = ["MergeBatchDims"]


class MergeBatchDims(NativeTransform, MultiFieldTransformer):
    """Fold the axes of batch and crops into one batch axis; a batch transform.

    Source: clara-3.1-transforms facts, sections 4.10 and 5.

    Args:
        fields: fields of the batch.
    """

    fidelity = approximate(
        "Clara folded the two batch axes of raw arrays; here a batching crop gives a list of crops, and MONAI's "
        "collation lays the lists of all items flat, also where MergeBatchDims is left out"
    )
    becomes = "monai.data.list_data_collate"

    def __init__(self, fields: str | list[str]) -> None:
        MultiFieldTransformer.__init__(self, fields)

    def bundle_entry(self, context: BundleContext) -> list[Entry]:
        """Return no entry: the collation of the data loader does it."""
        return []
