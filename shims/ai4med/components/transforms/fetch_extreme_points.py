"""Legacy path of ``FetchExtremePoints``."""

from clara_compat.components.transforms.fetch_extreme_points import FetchExtremePoints as FetchExtremePoints
