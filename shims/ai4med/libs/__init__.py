"""Legacy package ``ai4med.libs``: aliases of clara_compat."""
