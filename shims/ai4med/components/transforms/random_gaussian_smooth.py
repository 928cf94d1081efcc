"""Legacy path of ``RandomGaussianSmooth``."""

from clara_compat.components.transforms.random_gaussian_smooth import RandomGaussianSmooth as RandomGaussianSmooth
