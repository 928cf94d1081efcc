"""Legacy path of ``ClassificationKerasImagePipeline``."""

from clara_compat.components.pipelines.classification_keras_image_pipeline import (
    ClassificationKerasImagePipeline as ClassificationKerasImagePipeline,
)
