"""Legacy path of ``WriteNifti``."""

from clara_compat.components.writers.write_nifti import WriteNifti as WriteNifti
