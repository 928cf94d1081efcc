"""The SDK's own helpers for TensorFlow models, ``ai4med.operations``: what they were exactly is not documented."""
