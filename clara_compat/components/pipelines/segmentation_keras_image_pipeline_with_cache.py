"""Clara's ``SegmentationKerasImagePipelineWithCache``."""

from dataclasses import dataclass

from clara_compat.components.component import assumed
from clara_compat.components.pipelines.image_pipeline_base import CachedImagePipeline
from clara_compat.components.pipelines.segmentation_image_pipeline import SegmentationLabels

__all__ = ["SegmentationKerasImagePipelineWithCache"]


@dataclass(eq=False)
class SegmentationKerasImagePipelineWithCache(SegmentationLabels, CachedImagePipeline):
    """The Keras-based twin of ``SegmentationImagePipelineWithCache``.

    Takes the arguments of :class:`CachedImagePipeline`.
    """

    fidelity = assumed(
        "what made the Keras pipelines faster has no counterpart: the same loader; num_cache_objects items of the "
        "list are held and an epoch is one pass over them; after it the first replace_percent of them make room "
        "for the next of the list (background thread); the default of replace_percent, and that the window starts "
        "at the head of the list, are assumed"
    )
    becomes = "monai.data.DataLoader over a dataset whose items are held in memory"
