"""Legacy path of ``AddExtremePointsChannel``."""

from clara_compat.components.transforms.add_extreme_points_channel import (
    AddExtremePointsChannel as AddExtremePointsChannel,
)
