"""Legacy path of ``ClassificationImagePipeline``."""

from clara_compat.components.pipelines.classification_image_pipeline import (
    ClassificationImagePipeline as ClassificationImagePipeline,
)
