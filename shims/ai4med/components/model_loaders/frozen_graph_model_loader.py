"""Legacy path of ``FrozenGraphModelLoader``."""

from clara_compat.components.model_loaders.frozen_graph_model_loader import (
    FrozenGraphModelLoader as FrozenGraphModelLoader,
)
