"""Checkpoints that TensorFlow wrote, read without TensorFlow."""
