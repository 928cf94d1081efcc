"""Legacy path of ``StatsHandler``."""

from clara_compat.components.handlers.stats_handler import StatsHandler as StatsHandler
