"""Legacy package ``ai4med.components.lr_policies``: aliases of clara_compat."""
