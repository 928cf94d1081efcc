"""A trained network in files that run without this package, each compared with the network before it is written."""
