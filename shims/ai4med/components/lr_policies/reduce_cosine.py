"""Legacy path of ``ReduceCosine``."""

from clara_compat.components.lr_policies.reduce_cosine import ReduceCosine as ReduceCosine
