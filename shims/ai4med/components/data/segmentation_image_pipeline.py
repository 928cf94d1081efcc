"""Legacy path of ``SegmentationImagePipeline``."""

from clara_compat.components.pipelines.segmentation_image_pipeline import (
    SegmentationImagePipeline as SegmentationImagePipeline,
)
