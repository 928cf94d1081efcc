"""Legacy path of ``RandomSpatialFlip``."""

from clara_compat.components.transforms.random_spatial_flip import RandomSpatialFlip as RandomSpatialFlip
