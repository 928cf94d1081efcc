"""Clara's library classes that read files, for user code that calls them; no components of a config."""
