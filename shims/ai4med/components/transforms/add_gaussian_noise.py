"""Legacy path of ``AddGaussianNoise``."""

from clara_compat.components.transforms.add_gaussian_noise import AddGaussianNoise as AddGaussianNoise
