"""Legacy path of ``MulticlassAverage``."""

from clara_compat.components.metrics.multiclass_average import MulticlassAverage as MulticlassAverage
