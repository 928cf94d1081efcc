"""Legacy path of ``ColorImageReader``."""

from clara_compat.components.readers.color_image_reader import ColorImageReader as ColorImageReader
