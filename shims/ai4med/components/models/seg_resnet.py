"""Legacy path of ``SegResnet``."""

from clara_compat.components.models.seg_resnet import SegResnet as SegResnet
