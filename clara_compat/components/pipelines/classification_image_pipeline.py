"""Clara's ``ClassificationImagePipeline``."""

from dataclasses import dataclass
from typing import ClassVar

from clara_compat.components.component import assumed
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline

__all__ = ["ClassificationImagePipeline", "ClassificationLabels"]


class ClassificationLabels:
    """What pipelines for classification have besides: a label that is a vector of numbers."""

    task: ClassVar[str] = "classification"


@dataclass(eq=False)
class ClassificationImagePipeline(ClassificationLabels, BaseImagePipeline):
    """Feeds an engine with batches of images and class labels.

    Takes the arguments of :class:`BaseImagePipeline`.

    The label of an item of the data list is a number or a list of numbers, one per label.
    """

    fidelity = assumed(
        "the encoding of output_label_format is not documented: classes per label, 1 for a binary one; the last batch "
        "of an epoch may be smaller"
    )
    becomes = "monai.data.DataLoader over a dataset seeded per item"
