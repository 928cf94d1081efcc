"""Legacy package ``ai4med.components.handlers``: aliases of clara_compat."""
