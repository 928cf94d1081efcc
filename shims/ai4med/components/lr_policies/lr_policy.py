"""Legacy path of ``LRPolicy``."""

from clara_compat.components.lr_policies.lr_policy import LRPolicy as LRPolicy
