"""What a data pipeline says about its data.

The page on own components names the contents (data format, number of image channels, number of label channels, and
more); the attribute names are those of the documented pipeline arguments (clara-3.1-transforms facts, section 5) and
therefore assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clara_compat.common.data_format import DataFormat
from clara_compat.common.label_format import LabelFormat

__all__ = ["DataProperty"]


@dataclass(frozen=True)
class DataProperty:
    """Properties of the data, found in a build context under ``BuildContext.KEY_DATA_PROP`` (attributes assumed).

    Args:
        task: ``segmentation``, ``classification`` or ``annotation``.
        data_format: one of :class:`DataFormat`.
        num_data_dims: number of spatial dimensions, 2 or 3.
        num_channels: image channels.
        num_label_channels: label channels.
        crop_size: spatial size of an item, in voxels; -1 means unknown, None that nothing was declared.
        label_format: of a classification task.

    Raises:
        ValueError: an unknown data format, a number of dimensions other than 2 or 3, a channel number below 1, or a
            crop size of another length than the number of dimensions.
    """

    task: str = "segmentation"
    data_format: str = DataFormat.CHANNELS_FIRST
    num_data_dims: int = 3
    num_channels: int = 1
    num_label_channels: int = 1
    crop_size: Sequence[int] | None = None
    label_format: LabelFormat | None = None

    def __post_init__(self) -> None:
        formats = (DataFormat.CHANNELS_FIRST, DataFormat.CHANNELS_LAST, DataFormat.GRAYSCALE)
        if self.data_format not in formats:
            raise ValueError(f"{self.data_format!r} is not a data format, expected one of {', '.join(formats)}")
        if self.num_data_dims not in (2, 3):
            raise ValueError(f"the number of data dimensions must be 2 or 3, got {self.num_data_dims!r}")
        for name in ("num_channels", "num_label_channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)!r}")
        if self.crop_size is not None and len(self.crop_size) != self.num_data_dims:
            raise ValueError(
                f"crop size {list(self.crop_size)} has {len(self.crop_size)} numbers, but the data have "
                f"{self.num_data_dims} dimensions"
            )
