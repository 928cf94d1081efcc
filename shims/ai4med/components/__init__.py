"""Legacy package ``ai4med.components``: aliases of clara_compat."""
