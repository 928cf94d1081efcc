"""Legacy path of ``SegmentationKerasImagePipeline``."""

from clara_compat.components.pipelines.segmentation_keras_image_pipeline import (
    SegmentationKerasImagePipeline as SegmentationKerasImagePipeline,
)
