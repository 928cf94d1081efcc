"""Sampling a region of an image through a rotation, a scale and a smooth displacement.

All coordinates are voxel indices of the array (a voxel's centre is its index), not mm: rotating an image with
anisotropic voxels shears it in space, and the affine says so. Resample to isotropic voxels first where that matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["place_matrix", "region_coordinates", "sample_region", "smooth_displacement"]

_Array = np.ndarray[Any, Any]


def smooth_displacement(size: Sequence[int], sigma: float, magnitude: float, random: np.random.RandomState) -> _Array:
    """Return a random smooth displacement field.

    Every component at every voxel is Gaussian with mean 0 and standard deviation ``magnitude``; the correlation of
    two voxels at distance d is ``exp(-d**2 / (4 * sigma**2))``: white noise smoothed with a Gaussian of ``sigma``, here
    as a sum of Gaussian bumps with random heights on a grid of half a sigma, which extends beyond the region.

    Args:
        size: spatial size of the region.
        sigma: of the Gaussian, in voxels.
        magnitude: voxels.
        random: source of randomness.

    Returns:
        float32 array (rank, *size), voxels.
    """
    bases = [_bumps(n, sigma) for n in size]
    field = random.standard_normal((len(size), *(basis.shape[1] for basis in bases))).astype(np.float32)
    for basis in bases:  # each turn takes the first axis of bumps away and appends the axis of voxels
        # without BLAS: the same bits on any number of threads, and no threads that wait for each other
        field = np.einsum("ck...,nk->c...n", field, basis, optimize=False)
    return field * np.float32(magnitude)


def _bumps(n: int, sigma: float) -> _Array:
    """Return the weights (n, bumps) of an axis' bumps at its voxels; each row has the Euclidean norm 1."""
    centres = np.arange(-3.5 * sigma, n + 3.5 * sigma, sigma / 2)
    weights = np.exp(-((np.arange(n)[:, None] - centres) ** 2) / (2 * sigma**2))
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


def place_matrix(matrix: _Array, centre: Sequence[float], size: Sequence[int]) -> _Array:
    """Return the homogeneous matrix from the region's voxel indices to the image's.

    Args:
        matrix: (rank, rank), image voxels per region voxel; turns about the region's centre.
        centre: where the region's centre ``(size - 1) / 2`` lies in the image.
        size: spatial size of the region.
    """
    rank = len(size)
    placed = np.eye(rank + 1)
    placed[:rank, :rank] = matrix
    placed[:rank, rank] = np.asarray(centre) - matrix @ ((np.asarray(size) - 1) / 2)
    return placed


def region_coordinates(place: _Array, size: Sequence[int], displacement: _Array | None = None) -> _Array:
    """Return where each voxel of the region lies in the image: float32 array (rank, *size), in voxels.

    Args:
        place: (rank + 1, rank + 1), from voxels of the region to voxels of the image.
        size: voxels of the region per axis.
        displacement: (rank, *size), in voxels, or None.
    """
    rank = len(size)
    steps = [
        np.arange(n, dtype=np.float32).reshape([-1 if j == axis else 1 for j in range(rank)])
        for axis, n in enumerate(size)
    ]
    coordinates = np.empty((rank, *size), np.float32)
    for row, target in zip(place.astype(np.float32)[:rank], coordinates, strict=True):
        target[...] = row[rank]
        for weight, step in zip(row[:rank], steps, strict=True):
            np.add(target, weight * step, out=target)
    if displacement is not None:
        coordinates += displacement
    return coordinates


def sample_region(image: torch.Tensor, coordinates: _Array, mode: Literal["bilinear", "nearest"]) -> torch.Tensor:
    """Return ``image`` at ``coordinates``; outside, the border voxels continue.

    Only the block that the coordinates touch is read.

    Args:
        image: plain tensor (C, spatial...).
        coordinates: (rank, *size), voxels.
        mode: ``bilinear`` (trilinear in 3-D) gives float32; ``nearest`` keeps the data type.

    Returns:
        Tensor (C, *size).
    """
    rank = coordinates.shape[0]
    ends = np.asarray(image.shape[1:]) - 1
    flat = coordinates.reshape(rank, -1)
    low = np.clip(np.floor(flat.min(axis=1)), 0, ends).astype(int)
    high = np.clip(np.ceil(flat.max(axis=1)), 0, ends).astype(int)
    where: tuple[Any, ...] = (slice(None), *(slice(a, b + 1) for a, b in zip(low, high, strict=True)))
    block = image[where]
    column = (rank, *[1] * rank)
    half = np.maximum(high - low, 1).reshape(column) / 2
    grid = (coordinates - low.reshape(column)) / half - 1
    grid_t = torch.from_numpy(np.moveaxis(grid[::-1], 0, -1).astype(np.float32)).to(image.device)
    sampled = F.grid_sample(
        block.to(torch.float32)[None], grid_t[None], mode=mode, padding_mode="border", align_corners=True
    )[0]
    return sampled.to(image.dtype) if mode == "nearest" else sampled
