"""Legacy package ``ai4med.utils``: aliases of clara_compat."""
