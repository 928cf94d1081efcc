"""Legacy path of ``RandomAxisFlip``."""

from clara_compat.components.transforms.random_axis_flip import RandomAxisFlip as RandomAxisFlip
