"""Legacy path of ``MedicalImage``."""

from clara_compat.common.medical_image import MedicalImage as MedicalImage
