"""Clara's ``TFScanWindowInferer``."""

from __future__ import annotations

from clara_compat.components.component import Component, assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.inferers.inferer import Inferer
from clara_compat.errors import ClaraError

__all__ = ["TFScanWindowInferer"]


class TFScanWindowInferer(Component, Inferer):
    """Scans a volume window by window and puts the predictions together (clara-3.1 engine facts, section 2.9).

    Args:
        roi_size: size of a window, which may exceed the training crop; -1 for the whole of an axis.
        batch_size: windows per forward pass.
        overlap: overlap of neighbouring windows as a fraction of their size (ours; Clara's argument is not known).

    Raises:
        ClaraError: for numbers out of range.
    """

    fidelity = assumed(
        "overlap and blending are not documented: windows do not overlap unless 'overlap' is given, except the last of "
        "an axis, which is moved inside; where windows overlap the mean counts; smaller volumes are padded with zeros"
    )
    becomes = "monai.inferers.SlidingWindowInferer"

    def __init__(self, roi_size: list[int], batch_size: int = 1, overlap: float = 0.0) -> None:
        Inferer.__init__(self, predictor=None)
        if not roi_size or any(size == 0 or size < -1 for size in roi_size):
            raise ClaraError(f"roi_size is {roi_size}, expected a size per axis: positive, or -1 for the whole axis")
        if batch_size < 1:
            raise ClaraError(f"batch_size is {batch_size} but must be at least 1")
        if not 0.0 <= overlap < 1.0:
            raise ClaraError(f"overlap is {overlap} but must be at least 0 and below 1")
        self.roi_size = roi_size
        self.batch_size = batch_size
        self.overlap = overlap

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the inferer.

        Raises:
            ClaraError: ``roi_size`` does not have one entry per axis of the data.
        """
        if len(self.roi_size) != context.spatial_dims:
            raise ClaraError(
                f"roi_size is {list(self.roi_size)} but the data have {context.spatial_dims} spatial axes: "
                "give one size per axis"
            )
        return Entry(
            "SlidingWindowInferer",
            roi_size=list(self.roi_size),
            sw_batch_size=self.batch_size,
            overlap=self.overlap,
            mode="constant",
        )
