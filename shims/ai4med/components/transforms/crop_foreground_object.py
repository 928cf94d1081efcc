"""Legacy path of ``CropForegroundObject``."""

from clara_compat.components.transforms.crop_foreground_object import CropForegroundObject as CropForegroundObject
