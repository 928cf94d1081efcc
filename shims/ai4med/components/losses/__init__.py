"""Legacy package ``ai4med.components.losses``: aliases of clara_compat."""
