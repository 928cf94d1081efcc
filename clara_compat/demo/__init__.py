"""The demos: synthetic images, legacy-format MMARs that train on them, and the picture at the end."""

from __future__ import annotations
