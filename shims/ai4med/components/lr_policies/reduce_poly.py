"""Legacy path of ``ReducePoly``."""

from clara_compat.components.lr_policies.reduce_poly import ReducePoly as ReducePoly
