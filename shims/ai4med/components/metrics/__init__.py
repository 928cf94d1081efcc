"""Legacy package ``ai4med.components.metrics``: aliases of clara_compat."""
