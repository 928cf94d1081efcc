"""Legacy path of ``Inferer``."""

from clara_compat.components.inferers.inferer import Inferer as Inferer
