"""Where an entry stands, as far as its counterpart in plain MONAI depends on it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NativeContext"]


@dataclass(frozen=True)
class NativeContext:
    """The place of an entry.

    Args:
        spatial_dims: 2 or 3.
        unloaded: fields that must be images at the end of the chain and that no other transform of it loads: the
            user's own transform that names them (or names none) is taken to be their loader.
    """

    spatial_dims: int = 3
    unloaded: tuple[str, ...] = ()
