"""Legacy path of ``ClassificationKerasImagePipelineWithCache``."""

from clara_compat.components.pipelines.classification_keras_image_pipeline_with_cache import (
    ClassificationKerasImagePipelineWithCache as ClassificationKerasImagePipelineWithCache,
)
