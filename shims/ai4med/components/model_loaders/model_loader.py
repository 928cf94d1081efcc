"""Legacy path of ``ModelLoader``."""

from clara_compat.components.model_loaders.model_loader import ModelLoader as ModelLoader
