"""Legacy path of ``RandomZoom``."""

from clara_compat.components.transforms.random_zoom import RandomZoom as RandomZoom
