"""Legacy path of ``PngReader``."""

from clara_compat.components.readers.png_reader import PngReader as PngReader
