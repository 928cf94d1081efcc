"""Legacy path of ``SegmentationKerasImagePipelineWithCache``."""

from clara_compat.components.pipelines.segmentation_keras_image_pipeline_with_cache import (
    SegmentationKerasImagePipelineWithCache as SegmentationKerasImagePipelineWithCache,
)
