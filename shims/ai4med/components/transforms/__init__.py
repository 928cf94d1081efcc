"""Legacy package ``ai4med.components.transforms``: aliases of clara_compat."""
