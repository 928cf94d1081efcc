"""Writers of result files: a numpy array that knows its place in space becomes a file, whole or not at all."""
