"""``tf.layers``: layers whose variables are named by the variable scope, and their functions."""
