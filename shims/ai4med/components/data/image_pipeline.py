"""Legacy path of ``ImagePipeline``."""

from clara_compat.components.pipelines.image_pipeline import ImagePipeline as ImagePipeline
