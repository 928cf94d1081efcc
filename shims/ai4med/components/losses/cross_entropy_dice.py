"""Legacy path of ``CrossEntropyDice``."""

from clara_compat.components.losses.cross_entropy_dice import CrossEntropyDice as CrossEntropyDice
