"""Legacy path of ``Alexnet``."""

from clara_compat.components.models.alexnet import Alexnet as Alexnet
