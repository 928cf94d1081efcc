"""Losses with Clara's maths where MONAI's differ."""
