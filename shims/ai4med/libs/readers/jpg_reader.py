"""Legacy path of ``JpgReader``."""

from clara_compat.components.readers.jpg_reader import JpgReader as JpgReader
