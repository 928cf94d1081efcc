"""Legacy path of ``NiftiReader``."""

from clara_compat.components.readers.nifti_reader import NiftiReader as NiftiReader
