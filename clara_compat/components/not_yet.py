"""Names of Clara 3.1 that the catalogue does not hold yet, with their families.

A config that uses one is right: ``check`` passes and says what does not run yet, ``train`` stops there before anything
is written. Source: clara-3.1-engine facts, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["NOT_YET"]

_NAMES = {
    "handlers": "AdjustLayerLRs",
}

NOT_YET: Mapping[str, str] = {name: family for family, names in _NAMES.items() for name in names.split()}
"""Families by the components' names."""
