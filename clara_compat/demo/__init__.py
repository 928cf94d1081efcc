"""The demos: synthetic images, legacy-format MMARs that train on them, and the picture at the end."""

from __future__ import annotations

from clara_compat.demo.mmar import prepare_mmar
from clara_compat.demo.scans import make_scans

__all__ = ["make_scans", "prepare_mmar"]
