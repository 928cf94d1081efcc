"""Legacy package ``ai4med.components.eval_writers``: aliases of clara_compat."""
