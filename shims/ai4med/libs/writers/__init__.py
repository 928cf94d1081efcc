"""Legacy package ``ai4med.libs.writers``: aliases of clara_compat."""
