"""Optimizers with TensorFlow 1's or Clara's maths, as torch optimizers."""
