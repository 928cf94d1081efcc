"""Legacy package ``ai4med.common``: aliases of clara_compat."""
