"""Legacy path of ``ReduceOnPlateau``."""

from clara_compat.components.lr_policies.reduce_on_plateau import ReduceOnPlateau as ReduceOnPlateau
