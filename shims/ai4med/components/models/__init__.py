"""Legacy package ``ai4med.components.models``: aliases of clara_compat."""
