"""Legacy path of ``LoadNifti``."""

from clara_compat.components.transforms.load_nifti import LoadNifti as LoadNifti
