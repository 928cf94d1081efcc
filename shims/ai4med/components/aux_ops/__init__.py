"""Legacy package ``ai4med.components.aux_ops``: aliases of clara_compat."""
