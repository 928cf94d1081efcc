from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.transform import Rotation

from clara_compat.engine.transforms.warp import (
    place_matrix,
    region_coordinates,
    sample_region,
    smooth_displacement,
)


@pytest.mark.parametrize("size", [(9, 8, 7), (9, 8)])
def test_coordinates_are_the_matrix_of_the_indices(size):
    rank = len(size)
    matrix = Rotation.from_euler("XYZ", [0, 0, 0.2] if rank == 2 else [0.1, 0.2, 0.3]).as_matrix()[:rank, :rank] * 1.1
    centre = np.arange(rank) * 3 + 10.0
    place = place_matrix(matrix, centre, size)
    displacement = np.random.default_rng(0).normal(size=(rank, *size)).astype(np.float32)
    index = np.indices(size).reshape(rank, -1)
    expected = (place[:rank, :rank] @ index + place[:rank, rank:]).reshape(rank, *size)
    np.testing.assert_allclose(region_coordinates(place, size), expected, atol=1e-5)
    np.testing.assert_allclose(region_coordinates(place, size, displacement), expected + displacement, atol=1e-5)
    middle = place @ [*((np.array(size) - 1) / 2), 1]
    np.testing.assert_allclose(middle[:rank], centre, atol=1e-12)


@pytest.mark.parametrize("size", [(12, 10, 9), (12, 10)])
@pytest.mark.parametrize("reach", [1.0, 3.0])
def test_sampling_equals_scipy(size, reach):
    """Inside, across the border and far outside of the image."""
    rng = np.random.default_rng(1)
    image = rng.normal(size=(2, 20, 17, 15)[: len(size) + 1])
    shape = np.array(image.shape[1:]).reshape(-1, *[1] * len(size))
    coordinates = ((rng.random((len(size), *size)) - 0.5) * reach + 0.5) * (shape - 1)
    coordinates = coordinates.astype(np.float32)
    out = sample_region(torch.from_numpy(image), coordinates, "bilinear")
    expected = [ndimage.map_coordinates(c, coordinates.astype(np.float64), order=1, mode="nearest") for c in image]
    assert out.shape == (2, *size)
    np.testing.assert_allclose(out.numpy(), expected, atol=2e-5)

    labels = rng.integers(0, 1000, image.shape)
    fraction = np.abs((coordinates % 1) - 0.5)
    clear = (fraction > 1e-3).all(axis=0)  # not on the border between two voxels
    out = sample_region(torch.from_numpy(labels), coordinates, "nearest")
    assert out.dtype == torch.int64
    nearest = np.clip(np.rint(coordinates).astype(int), 0, shape - 1)
    np.testing.assert_array_equal(out.numpy()[:, clear], labels[(slice(None), *nearest)][:, clear])


def test_a_region_on_one_plane():
    image = torch.arange(24.0).reshape(1, 4, 6)
    coordinates = np.stack([np.full((3, 3), 2.0), np.full((3, 3), 5.0)])
    assert (sample_region(image, coordinates, "bilinear") == 17).all()


@pytest.mark.parametrize("size", [(6, 40), (5, 6, 40)])
def test_law_of_the_displacement(size):
    """Gaussian, standard deviation as asked for, at every voxel; correlation exp(-d^2 / (4 sigma^2))."""
    random = np.random.RandomState(0)
    sigma, magnitude = 8.0, 2.0
    fields = np.stack([smooth_displacement(size, sigma, magnitude, random) for _ in range(2000)])
    assert fields.shape == (2000, len(size), *size)
    assert fields.dtype == np.float32
    along = fields.reshape(2000, len(size), -1, 40)[:, :, 0]  # one line along the last axis
    np.testing.assert_allclose(along.mean(axis=0), 0, atol=5 * magnitude / np.sqrt(2000))
    np.testing.assert_allclose(along.std(axis=0), magnitude, rtol=0.1)  # the ends of the region included
    for distance in (4, 8, 16):
        found = (along[..., :-distance] * along[..., distance:]).mean() / magnitude**2
        assert found == pytest.approx(np.exp(-(distance**2) / (4 * sigma**2)), abs=0.05)
    assert abs((fields[:, 0] * fields[:, 1]).mean()) < 0.1 * magnitude**2  # components are independent
    kurtosis = ((along / magnitude) ** 4).mean()
    assert kurtosis == pytest.approx(3, rel=0.1)
