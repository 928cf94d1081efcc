"""``tensorflow.contrib.layers``, ``.slim`` and ``.framework``: functions that make a layer with its variables."""
