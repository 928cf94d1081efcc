from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
from scipy import ndimage

from clara_compat.engine.transforms.resample import _axis, _resize_dim, resize

SIZES = [
    ((20, 31, 7), (33, 24, 51)),
    ((64, 1, 5), (48, 3, 5)),
    ((9, 8, 7), (9, 8, 7)),
    ((9, 8, 7), (1, 2, 14)),
    ((40, 30), (36, 77)),
    ((5, 6), (5, 12)),
]


def linear_reference(image, size):
    """scipy, float64, both grids over the same extent."""
    return np.stack([
        ndimage.zoom(channel, [m / n for m, n in zip(size, channel.shape, strict=True)],
                     order=1, mode="nearest", grid_mode=True)
        for channel in image.astype(np.float64)
    ])  # fmt: skip


def nearest_reference(image, size):
    """Exact: the old voxel in which the new centre (i + 1/2) n / m lies."""
    index = [
        [floor((i + Fraction(1, 2)) * n / m) for i in range(m)] for n, m in zip(image.shape[1:], size, strict=True)
    ]
    return image[np.ix_(range(len(image)), *index)]


@pytest.mark.parametrize(("old", "new"), SIZES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-7), (np.float64, 1e-7), (np.int16, 2e-7)])
def test_linear_equals_scipy(old, new, dtype, tolerance):
    image = (np.random.default_rng(0).uniform(-1000, 1000, (2, *old))).astype(dtype)
    out = resize(torch.from_numpy(image), new, "linear")
    assert out.shape == (2, *new)
    assert out.dtype == (torch.float64 if dtype == np.float64 else torch.float32)
    assert out.is_contiguous()
    assert np.abs(out.numpy() - linear_reference(image, new)).max() <= tolerance * np.ptp(image)


@pytest.mark.parametrize(("old", "new"), SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64, np.bool_])
def test_nearest_is_exact_and_keeps_the_type(old, new, dtype):
    image = np.random.default_rng(0).integers(0, 200, (2, *old)).astype(dtype)
    out = resize(torch.from_numpy(image), new, "nearest-exact").numpy()
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, nearest_reference(image, new))


@pytest.mark.parametrize("mode", ["linear", "nearest-exact"])
def test_devices_without_numpy_take_the_same_steps(mode):
    image = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 20, 31, 7)).astype(np.float32))
    expected = resize(image, (33, 24, 7), mode)
    for dim, m in ((1, 33), (2, 24)):
        image = _resize_dim(image, dim, _axis(image.shape[dim], m, mode, np.float32))
    torch.testing.assert_close(image, expected, rtol=0, atol=1e-6)


def test_a_long_axis_is_exact_where_torch_is_not():
    """What is computed in float32 is 1e-5 off: the reason for not using torch's interpolate."""
    ramp = torch.zeros(1, 4000, 2)
    ramp[:, ::2] = 1000.0
    reference = linear_reference(ramp.numpy(), (3001, 2))
    ours = resize(ramp, (3001, 2), "linear").numpy()
    theirs = torch.nn.functional.interpolate(ramp[None], size=(3001, 2), mode="bilinear")[0].numpy()
    assert np.abs(ours - reference).max() < 1e-7 * 1000
    assert np.abs(theirs - reference).max() > 1e-5 * 1000


def test_any_memory_layout_and_the_input_stays():
    image = torch.rand(5, 7, 6, 2).permute(3, 2, 0, 1)
    before = image.clone()
    out = resize(image, (9, 4, 14), "linear")
    torch.testing.assert_close(out, resize(image.contiguous(), (9, 4, 14), "linear"), rtol=0, atol=0)
    assert torch.equal(image, before)


def test_a_constant_image_stays_exactly_constant():
    out = resize(torch.full((1, 31, 17, 9), -1023.7), (40, 11, 30), "linear")
    assert out.unique().tolist() == [pytest.approx(-1023.7)]
    assert len(out.unique()) == 1


def test_nan_stays_where_it_is():
    image = torch.zeros(1, 10, 10, 10)
    image[0, 5, 5, 5] = float("nan")
    missing = resize(image, (20, 20, 20), "linear").isnan()
    assert 0 < missing.sum() <= 4**3
    assert not missing[0, :9].any()
