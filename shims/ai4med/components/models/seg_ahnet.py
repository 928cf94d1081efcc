"""Legacy path of ``SegAhnet``."""

from clara_compat.components.models.seg_ahnet import SegAhnet as SegAhnet
