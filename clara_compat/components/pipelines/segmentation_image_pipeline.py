"""Clara's ``SegmentationImagePipeline``."""

from dataclasses import dataclass

from clara_compat.components.component import exact
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.errors import ClaraError

__all__ = ["SegmentationImagePipeline", "SegmentationLabels"]


@dataclass(eq=False)
class SegmentationLabels:
    """What pipelines for segmentation have besides: a label that is an image.

    Args:
        output_label_channels: channels of the label.
    """

    output_label_channels: int = 1

    def __post_init__(self) -> None:
        if self.output_label_channels < 1:
            raise ClaraError(f"output_label_channels is {self.output_label_channels}, expected at least 1")
        super().__post_init__()  # type: ignore[misc]  # of the pipeline it is mixed into

    @property
    def label_channels(self) -> int:
        """Channels of the label image."""
        return self.output_label_channels


@dataclass(eq=False)
class SegmentationImagePipeline(SegmentationLabels, BaseImagePipeline):
    """Feeds an engine with batches of images and label images.

    Takes the arguments of :class:`BaseImagePipeline`.

    Args:
        output_label_channels: channels of the label.
    """

    fidelity = exact("the last batch of an epoch may be smaller; the deterministic transforms' results are cached")
    becomes = "monai.data.DataLoader over a dataset seeded per item"
