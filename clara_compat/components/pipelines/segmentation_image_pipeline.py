"""``SegmentationImagePipeline``: a data list, a chain of transforms, batches."""

from __future__ import annotations

import math
from typing import Any

from clara_compat.components.component import Component, exact
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.errors import ClaraError

__all__ = ["SegmentationImagePipeline"]


class SegmentationImagePipeline(Component):
    """Feeds an engine with batches of ``image`` and ``label``.

    ``output_crop_size`` declares the spatial shape the network is built for; it does not crop. ``num_workers`` and
    ``prefetch_size`` change the speed, never the result. Source: clara-3.1 facts, engine section 2.5.

    Args:
        data_list_file_path: Decathlon-style data list file.
        data_file_base_dir: folder its relative paths start from.
        data_list_key: which list of the file.
        output_crop_size: declared spatial shape of an item; -1 where it varies.
        output_data_format: ``channels_first`` or ``channels_last``; inside, data are always channel-first.
        output_data_dims: 2 or 3; by default the length of ``output_crop_size``.
        output_image_channels: channels of the image, and so of the network's input.
        output_label_channels: channels of the label.
        output_image_dtype: type of the image handed to the network; only ``float32``.
        output_batch_size: items per step.
        batched_by_transforms: a crop transform makes the batch.
        num_workers: loader processes.
        prefetch_size: batches prepared ahead.
        shuffle: a new order each epoch.
        repeat: accepted; an epoch is one pass over the data list either way.
        duplicate_count: how often an item is repeated in an epoch.
        extra_inputs: further network inputs.
        items_per_category: items drawn per category.
        category_weights: weights of the categories.
    """

    fidelity = exact("the last batch of an epoch may be smaller; shuffling repeats from the seed")
    becomes = "monai.data.DataLoader over a dataset seeded per item"

    def __init__(
        self,
        data_list_file_path: str,
        data_file_base_dir: str,
        data_list_key: str,
        output_crop_size: list[int] | None = None,
        output_data_format: str = "channels_first",
        output_data_dims: int | None = None,
        output_image_channels: int = 1,
        output_label_channels: int = 1,
        output_image_dtype: str = "float32",
        output_batch_size: int = 10,
        batched_by_transforms: bool = False,
        num_workers: int = 4,
        prefetch_size: int = 20,
        shuffle: bool = True,
        repeat: bool = True,
        duplicate_count: int = 1,
        extra_inputs: Any = None,
        items_per_category: Any = None,
        category_weights: Any = None,
    ) -> None:
        self.data_list_file_path = data_list_file_path
        self.data_file_base_dir = data_file_base_dir
        self.data_list_key = data_list_key
        self.output_crop_size = output_crop_size
        self.output_image_channels = output_image_channels
        self.output_label_channels = output_label_channels
        self.output_batch_size = output_batch_size
        self.num_workers = num_workers
        self.prefetch_size = prefetch_size
        self.shuffle = shuffle
        self.duplicate_count = duplicate_count
        self.spatial_dims = output_data_dims or len(output_crop_size or (0, 0, 0))
        if self.spatial_dims not in (2, 3):
            raise ClaraError(f"images have 2 or 3 dimensions, got {self.spatial_dims}: mend output_data_dims")
        if output_crop_size is not None and len(output_crop_size) != self.spatial_dims:
            raise ClaraError(
                f"output_crop_size {output_crop_size} has {len(output_crop_size)} numbers, expected "
                f"{self.spatial_dims} (output_data_dims)"
            )
        for name, value, least in (
            ("output_batch_size", output_batch_size, 1),
            ("num_workers", num_workers, 0),
            ("prefetch_size", prefetch_size, 0),
            ("duplicate_count", duplicate_count, 1),
            ("output_image_channels", output_image_channels, 1),
        ):
            if value < least:
                raise ClaraError(f"{name} is {value}, expected at least {least}")
        if output_data_format not in ("channels_first", "channels_last"):
            raise ClaraError(f"output_data_format is '{output_data_format}', expected channels_first or channels_last")
        if output_image_dtype != "float32":
            raise ClaraError(f"output_image_dtype is '{output_image_dtype}', only float32 is supported")
        for name, value in (
            ("batched_by_transforms", batched_by_transforms),
            ("extra_inputs", extra_inputs),
            ("items_per_category", items_per_category),
            ("category_weights", category_weights),
        ):
            if value:
                raise ClaraError(f"{name} is not supported yet: leave it out")

    def data_entry(self) -> Entry:
        """Return the entry that reads the data list."""
        return Entry(
            "clara_compat.engine.data.datalist.load_datalist",
            data_list_file_path=self.data_list_file_path,
            data_list_key=self.data_list_key,
            base_dir=self.data_file_base_dir,
            duplicate_count=self.duplicate_count,
        )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the entry of the loader; it refers to the section's ``dataset`` and to the run's ``seed``."""
        training = context.section == "train"
        size = self.output_crop_size if training else None  # validation declares it, too, and takes whole scans
        channels = self.output_image_channels + self.output_label_channels
        known = {"item_bytes": 4 * channels * math.prod(size)} if size and min(size) > 0 else {}
        return Entry(
            "clara_compat.engine.data.loader.data_loader",
            dataset=Expression(f"@{context.section}#dataset"),
            batch_size=self.output_batch_size,
            shuffle=self.shuffle and training,
            seed=Expression("@seed"),
            num_workers=self.num_workers,
            prefetch_size=self.prefetch_size,
            keep_workers=training,
            **known,
        )
