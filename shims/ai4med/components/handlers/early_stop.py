"""Legacy path of ``EarlyStop``."""

from clara_compat.components.handlers.early_stop import EarlyStop as EarlyStop
