"""The window scan that TFScanWindowInferer becomes, against stitching in numpy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

from clara_compat.components.entry import BundleContext
from clara_compat.components.inferers.tf_scan_window_inferer import TFScanWindowInferer
from clara_compat.components.inferers.tf_simple_inferer import TFSimpleInferer
from clara_compat.translate.render import render


def starts(size, roi, overlap):
    """First voxels of the windows of an axis; the last one is moved inside."""
    step = max(int(roi * (1 - overlap)), 1)
    count = int(np.ceil((size - roi) / step)) + 1 if size > roi else 1
    return [max(min(index * step, size - roi), 0) for index in range(count)]


def stitched(image, roi_size, overlap, network):
    """Return the mean of the windows' predictions at every voxel; smaller volumes are padded with zeros."""
    size = image.shape[2:]
    roi = [n if r == -1 else r for n, r in zip(size, roi_size, strict=True)]
    missing = [max(r - n, 0) for n, r in zip(size, roi, strict=True)]
    ahead = [m // 2 for m in missing]
    padded = np.pad(image, [(0, 0), (0, 0), *((a, m - a) for a, m in zip(ahead, missing, strict=True))])
    total = count = 0.0
    for corner in itertools.product(*(starts(n, r, overlap) for n, r in zip(padded.shape[2:], roi, strict=True))):
        window = (slice(None), slice(None), *(slice(c, c + r) for c, r in zip(corner, roi, strict=True)))
        if isinstance(total, float):
            channels = network(padded[window]).shape[1]
            total, count = (np.zeros((len(padded), channels, *padded.shape[2:])) for _ in range(2))
        total[window] += network(padded[window])
        count[window] += 1
    inside = tuple(slice(a, a + n) for a, n in zip(ahead, size, strict=True))
    return (total / count)[(slice(None), slice(None), *inside)]


def of_window(window):
    """A network whose answer depends on the whole window: two channels."""
    mean = window.mean(axis=tuple(range(2, window.ndim)), keepdims=True)
    ramp = np.linspace(0, 1, window.shape[-1])
    return np.concatenate([window * (1 + ramp) - mean, window + mean * ramp], axis=1)


@pytest.mark.parametrize(
    ("size", "roi", "options"),
    [
        ((12, 12, 12), [6, 6, 6], {}),
        ((13, 11, 9), [6, 4, 5], {}),
        ((13, 11, 9), [6, 4, 5], {"batch_size": 4}),
        ((13, 11, 9), [6, 4, 5], {"overlap": 0.5}),
        ((13, 11, 9), [6, 4, 5], {"overlap": 0.3, "batch_size": 7}),
        ((13, 11, 9), [-1, 4, -1], {}),
        ((7, 11, 9), [16, 4, 16], {"batch_size": 2}),
        ((7, 5, 3), [16, 16, 16], {}),
        ((13, 10), [5, -1], {"overlap": 0.25}),
    ],
)
def test_equals_stitching_by_hand(size, roi, options):
    config = render(TFScanWindowInferer(roi, **options).bundle_entry(BundleContext(spatial_dims=len(size))))
    inferer = ConfigParser({"inferer": config}).get_parsed_content("inferer")
    image = np.random.default_rng(0).normal(size=(2, 1, *size))
    found = inferer(torch.from_numpy(image), lambda window: torch.from_numpy(of_window(window.numpy())))
    expected = stitched(image, roi, options.get("overlap", 0.0), of_window)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_the_simple_inferer_gives_everything_at_once():
    config = render(TFSimpleInferer().bundle_entry(BundleContext()))
    inferer = ConfigParser({"inferer": config}).get_parsed_content("inferer")
    image = torch.rand(2, 1, 5, 6, 7)
    seen = []
    assert torch.equal(inferer(image, lambda given: seen.append(given.shape) or given * 2), image * 2)
    assert seen == [image.shape]
