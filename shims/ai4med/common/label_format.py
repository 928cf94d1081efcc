"""Legacy path of ``LabelFormat``."""

from clara_compat.common.label_format import LabelFormat as LabelFormat
