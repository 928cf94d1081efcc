"""Legacy path of ``WritePng``."""

from clara_compat.components.writers.write_png import WritePng as WritePng
