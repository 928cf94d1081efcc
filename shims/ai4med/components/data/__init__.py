"""Legacy package ``ai4med.components.data``: aliases of clara_compat."""
