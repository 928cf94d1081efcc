"""Legacy package ``ai4med.components.model_loaders``: aliases of clara_compat."""
