"""Readers of image files: a path becomes a numpy array that knows its place in space, without torch."""
