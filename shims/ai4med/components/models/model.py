"""Legacy path of ``Model``."""

from clara_compat.components.models.model import Model as Model
