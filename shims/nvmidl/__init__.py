"""Clara Train's package of applications, under its old name."""
