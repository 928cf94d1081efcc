"""Where tensors have their channel axis.

Source: clara-3.1-engine facts, section 2.5 (``output_data_format``); clara-3.1-transforms facts, section 9.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DataFormat"]


class DataFormat:
    """Data formats of tensors. ``CHANNELS_FIRST`` was seen in Clara code, the other two constants are assumed."""

    CHANNELS_FIRST: Final = "channels_first"
    CHANNELS_LAST: Final = "channels_last"
    GRAYSCALE: Final = "grayscale"
