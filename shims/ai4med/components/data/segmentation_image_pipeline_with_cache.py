"""Legacy path of ``SegmentationImagePipelineWithCache``."""

from clara_compat.components.pipelines.segmentation_image_pipeline_with_cache import (
    SegmentationImagePipelineWithCache as SegmentationImagePipelineWithCache,
)
