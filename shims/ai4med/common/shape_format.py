"""Legacy path of ``ShapeFormat``, ``StdShapeFormat``."""

from clara_compat.common.shape_format import ShapeFormat as ShapeFormat
from clara_compat.common.shape_format import StdShapeFormat as StdShapeFormat
