"""Legacy path of ``TrainContext``."""

from clara_compat.common.train_ctx import TrainContext as TrainContext
