"""Legacy package ``dlmed``, from which Clara's contexts derive."""
