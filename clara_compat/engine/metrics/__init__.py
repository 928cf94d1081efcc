"""Clara's validation metrics as Ignite metrics."""
