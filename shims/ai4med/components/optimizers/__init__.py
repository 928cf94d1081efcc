"""Legacy package ``ai4med.components.optimizers``: aliases of clara_compat."""
