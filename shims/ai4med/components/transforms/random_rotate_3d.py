"""Legacy path of ``RandomRotate3D``."""

from clara_compat.components.transforms.random_rotate_3d import RandomRotate3D as RandomRotate3D
