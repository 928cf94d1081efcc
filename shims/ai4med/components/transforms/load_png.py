"""Legacy path of ``LoadPng``."""

from clara_compat.components.transforms.load_png import LoadPng as LoadPng
