"""Legacy path of ``RandomSharpen``."""

from clara_compat.components.transforms.random_sharpen import RandomSharpen as RandomSharpen
