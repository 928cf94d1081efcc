"""Legacy package ``ai4med.libs.metrics``: aliases of clara_compat."""
