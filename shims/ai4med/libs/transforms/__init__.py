"""Legacy package ``ai4med.libs.transforms``: aliases of clara_compat."""
