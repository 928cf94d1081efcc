"""Clara's ``ImagePipeline`` of versions 1 and 2, which named the task instead of having a class for each."""

from __future__ import annotations

from typing import Any, Literal

from clara_compat.components.component import assumed
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline

__all__ = ["ImagePipeline"]


class ImagePipeline(BaseImagePipeline):
    """Feeds an engine with batches, under the argument names of the first versions.

    Source: clara-3.1 facts, transforms section 5 and the spellings of older configs.

    Args:
        task: ``segmentation`` or ``classification``.
        data_list_file_path: Decathlon-style data list file.
        data_file_base_dir: folder its relative paths start from.
        data_list_key: which list of the file.
        crop_size: declared spatial shape of an item; -1 where it varies.
        data_format: ``channels_first`` or ``channels_last``.
        num_data_dims: 2 or 3; by default the length of ``crop_size``.
        num_channels: channels of the image.
        num_label_channels: channels of the label image.
        label_format: classification: classes per label.
        batch_size: items per step.
        shuffle: a new order each epoch.
        duplicate_count: how often an item is repeated in an epoch.
        num_workers: loader processes.
        prefetch_size: batches prepared ahead.
        batched_by_transforms: a crop transform makes the batch.
        repeat: accepted.
        batch_transforms: filled from the section.
        items_per_category: items drawn per category and epoch.
        category_weights: weights of the categories.
    """

    fidelity = assumed(
        "which of the later pipelines' arguments version 1 had, and its batch size, are not documented: as in "
        "SegmentationImagePipeline or ClassificationImagePipeline by the task, 10 items per step"
    )
    becomes = "monai.data.DataLoader over a dataset seeded per item"

    def __init__(
        self,
        task: Literal["segmentation", "classification"],
        data_list_file_path: str,
        data_file_base_dir: str,
        data_list_key: str,
        crop_size: list[int] | None = None,
        data_format: str = "channels_first",
        num_data_dims: int | None = None,
        num_channels: int = 1,
        num_label_channels: int = 1,
        label_format: list[int] | None = None,
        batch_size: int = 10,
        shuffle: bool = True,
        duplicate_count: int = 1,
        num_workers: int = 4,
        prefetch_size: int = 20,
        batched_by_transforms: bool = False,
        repeat: bool = True,
        batch_transforms: Any = None,
        items_per_category: int | list[int] | dict[str, int] | None = None,
        category_weights: list[float] | dict[str, float] | None = None,
    ) -> None:
        self.task = task  # type: ignore[misc]  # of the class elsewhere, of the instance here
        self.num_label_channels = num_label_channels
        super().__init__(
            data_list_file_path=data_list_file_path,
            data_file_base_dir=data_file_base_dir,
            data_list_key=data_list_key,
            output_crop_size=crop_size,
            output_data_format=data_format,
            output_data_dims=num_data_dims,
            output_image_channels=num_channels,
            output_label_format=label_format,
            output_batch_size=batch_size,
            batched_by_transforms=batched_by_transforms,
            num_workers=num_workers,
            prefetch_size=prefetch_size,
            shuffle=shuffle,
            repeat=repeat,
            duplicate_count=duplicate_count,
            batch_transforms=batch_transforms,
            items_per_category=items_per_category,
            category_weights=category_weights,
        )

    @property
    def label_channels(self) -> int:
        """Channels of the label image; 0 for classification."""
        return self.num_label_channels if self.task == "segmentation" else 0
