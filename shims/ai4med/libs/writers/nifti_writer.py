"""Legacy path of ``NiftiWriter``."""

from clara_compat.components.writers.nifti_writer import NiftiWriter as NiftiWriter
from clara_compat.components.writers.nifti_writer import image_file_name as image_file_name
