"""Legacy path of ``FocalDice``."""

from clara_compat.components.losses.focal_dice import FocalDice as FocalDice
