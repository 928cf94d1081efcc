"""Clara's ``ClassificationKerasImagePipeline``."""

from dataclasses import dataclass

from clara_compat.components.component import assumed
from clara_compat.components.pipelines.classification_image_pipeline import ClassificationLabels
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline

__all__ = ["ClassificationKerasImagePipeline"]


@dataclass(eq=False)
class ClassificationKerasImagePipeline(ClassificationLabels, BaseImagePipeline):
    """The Keras-based twin of ``ClassificationImagePipeline``.

    Takes the arguments of :class:`BaseImagePipeline`.
    """

    fidelity = assumed(
        "the encoding of output_label_format is not documented: classes per label, 1 for a binary one; what made "
        "the Keras pipelines faster has no counterpart: the same loader; a category is an item's 'category' or "
        "label"
    )
    becomes = "monai.data.DataLoader over a dataset seeded per item"
