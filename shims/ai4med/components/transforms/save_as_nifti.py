"""Legacy path of ``SaveAsNifti``."""

from clara_compat.components.transforms.save_as_nifti import SaveAsNifti as SaveAsNifti
