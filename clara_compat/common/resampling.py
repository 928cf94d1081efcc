"""The size an image gets when it is resampled: one rule for the engine and for checks of headers."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["resampled_size", "scaled_size"]


def resampled_size(size: Sequence[int], spacing: Sequence[float], target: Sequence[float]) -> tuple[int, ...]:
    """Return the number of voxels per axis after resampling from ``spacing`` to ``target`` (both mm).

    ``size * spacing / target``, rounded half to even, at least 1 (clara-3.1-transforms facts, section 10: assumed).
    A product within 0.0005 voxels of a half counts as the half: headers hold float32, so an image and its label may
    differ by as little.

    Args:
        size: voxels per axis.
        spacing: mm per voxel, for each axis.
        target: the same, as it is wanted.
    """
    return tuple(_voxels(n * float(now) / float(new)) for n, now, new in zip(size, spacing, target, strict=True))


def scaled_size(size: Sequence[int], factors: Sequence[float]) -> tuple[int, ...]:
    """Return the number of voxels per axis after scaling by ``factors``: ``size * factor``, by the same rule.

    Args:
        size: voxels per axis.
        factors: one per axis.
    """
    return tuple(_voxels(n * float(factor)) for n, factor in zip(size, factors, strict=True))


def _voxels(number: float) -> int:
    return max(1, round(round(number, 3)))
