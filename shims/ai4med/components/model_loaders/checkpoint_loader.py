"""Legacy path of ``CheckpointLoader``."""

from clara_compat.components.model_loaders.checkpoint_loader import CheckpointLoader as CheckpointLoader
