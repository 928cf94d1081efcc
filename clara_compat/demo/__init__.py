"""The demo: synthetic CT scans, a legacy-format MMAR that trains on them, and the picture at the end."""

from __future__ import annotations
