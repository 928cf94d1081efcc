"""Legacy package ``ai4med.libs.readers``: aliases of clara_compat."""
