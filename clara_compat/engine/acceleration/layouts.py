"""Layouts in memory with the channels of a pixel or voxel side by side."""

from __future__ import annotations

import torch

__all__ = ["LAYOUTS"]

LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""By the number of axes, (N, C, spatial...)."""
