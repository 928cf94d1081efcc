"""Clara's ``SegmentationKerasImagePipeline``."""

from dataclasses import dataclass

from clara_compat.components.component import exact
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.components.pipelines.segmentation_image_pipeline import SegmentationLabels

__all__ = ["SegmentationKerasImagePipeline"]


@dataclass(eq=False)
class SegmentationKerasImagePipeline(SegmentationLabels, BaseImagePipeline):
    """The Keras-based twin of ``SegmentationImagePipeline``.

    Takes the arguments of :class:`BaseImagePipeline`.
    """

    fidelity = exact(
        "what made the Keras pipelines faster has no counterpart: the same loader; arguments as for "
        "SegmentationImagePipeline; multiprocessing is accepted"
    )
    becomes = "monai.data.DataLoader over a dataset seeded per item"
