"""Legacy path of ``Dice``."""

from clara_compat.components.losses.dice import Dice as Dice
