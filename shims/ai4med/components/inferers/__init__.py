"""Legacy package ``ai4med.components.inferers``: aliases of clara_compat."""
