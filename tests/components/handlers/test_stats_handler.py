"""The catalogue's StatsHandler."""

from __future__ import annotations

from clara_compat.components.entry import BundleContext
from clara_compat.components.handlers.stats_handler import StatsHandler


def test_adds_nothing():
    assert StatsHandler().bundle_entry(BundleContext()) == []
