"""Legacy path of ``LoadJpg``."""

from clara_compat.components.transforms.load_jpg import LoadJpg as LoadJpg
