"""Legacy path of ``RepeatChannel``."""

from clara_compat.components.transforms.repeat_channel import RepeatChannel as RepeatChannel
