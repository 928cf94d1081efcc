"""Legacy path of ``CenterData``."""

from clara_compat.components.transforms.center_data import CenterData as CenterData
