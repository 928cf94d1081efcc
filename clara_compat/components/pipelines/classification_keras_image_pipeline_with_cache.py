"""Clara's ``ClassificationKerasImagePipelineWithCache``."""

from dataclasses import dataclass

from clara_compat.components.component import assumed
from clara_compat.components.pipelines.classification_image_pipeline import ClassificationLabels
from clara_compat.components.pipelines.image_pipeline_base import CachedImagePipeline

__all__ = ["ClassificationKerasImagePipelineWithCache"]


@dataclass(eq=False)
class ClassificationKerasImagePipelineWithCache(ClassificationLabels, CachedImagePipeline):
    """The Keras-based twin of ``ClassificationImagePipelineWithCache``.

    Takes the arguments of :class:`CachedImagePipeline`.
    """

    fidelity = assumed(
        "the encoding of output_label_format is not documented: classes per label, 1 for a binary one; what made "
        "the Keras pipelines faster has no counterpart: the same loader; num_cache_objects items of the list are "
        "held and an epoch is one pass over them; after it the first replace_percent of them make room for the "
        "next of the list (background thread); the default of replace_percent, and that the window starts at the "
        "head of the list, are assumed"
    )
    becomes = "monai.data.DataLoader over a dataset whose items are held in memory"
