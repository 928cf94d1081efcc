"""Legacy package ``ai4med``: aliases of clara_compat."""
