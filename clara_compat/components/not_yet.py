"""Names of Clara 3.1 that the catalogue does not hold yet, with their families.

A config that uses one is right: ``check`` passes and says what does not run yet, ``train`` stops there before anything
is written. Source: clara-3.1-engine facts, section 2.

``AdjustLayerLRs`` was documented as an example of a handler, without arguments: which layers it gave which learning
rates is not known, and a choice of our own would train another network than the user's. A user's ``Optimizer`` can give
groups of parameters rates of their own, whose proportions the policies keep.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["NOT_YET"]

_NAMES = {
    "handlers": "AdjustLayerLRs",
}

NOT_YET: Mapping[str, str] = {name: family for family, names in _NAMES.items() for name in names.split()}
"""Families by the components' names."""
