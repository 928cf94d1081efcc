"""Legacy path of ``IntensityRangeScaler``."""

from clara_compat.common.intensity_range_scaler import IntensityRangeScaler as IntensityRangeScaler
