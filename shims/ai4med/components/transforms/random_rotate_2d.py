"""Legacy path of ``RandomRotate2D``."""

from clara_compat.components.transforms.random_rotate_2d import RandomRotate2D as RandomRotate2D
