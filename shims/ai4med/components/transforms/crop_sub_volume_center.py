"""Legacy path of ``CropSubVolumeCenter``."""

from clara_compat.components.transforms.crop_sub_volume_center import CropSubVolumeCenter as CropSubVolumeCenter
