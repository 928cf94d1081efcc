"""Legacy path of ``LoadNumpy``."""

from clara_compat.components.transforms.load_numpy import LoadNumpy as LoadNumpy
