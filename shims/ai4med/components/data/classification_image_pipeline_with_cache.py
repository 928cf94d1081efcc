"""Legacy path of ``ClassificationImagePipelineWithCache``."""

from clara_compat.components.pipelines.classification_image_pipeline_with_cache import (
    ClassificationImagePipelineWithCache as ClassificationImagePipelineWithCache,
)
