"""Legacy package ``ai4med.operations``: aliases of clara_compat."""
