"""Legacy package ``dlmed.common``."""
