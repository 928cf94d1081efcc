"""Legacy path of ``TRTISModelLoader``."""

from clara_compat.components.model_loaders.trtis_model_loader import TRTISModelLoader as TRTISModelLoader
