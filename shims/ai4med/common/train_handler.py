"""Legacy path of ``TrainHandler``."""

from clara_compat.common.train_handler import TrainHandler as TrainHandler
