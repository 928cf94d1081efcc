"""Legacy path of ``Focal``."""

from clara_compat.components.losses.focal import Focal as Focal
