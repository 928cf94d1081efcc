"""The catalogue's TFScanWindowInferer."""

from __future__ import annotations

import pytest

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.inferers.tf_scan_window_inferer import TFScanWindowInferer
from clara_compat.errors import ClaraError


@pytest.mark.parametrize(("options", "windows", "overlap"), [({}, 1, 0.0), ({"batch_size": 4, "overlap": 0.5}, 4, 0.5)])
def test_entry(options, windows, overlap):
    assert TFScanWindowInferer([64, 64, -1], **options).bundle_entry(BundleContext()) == Entry(
        "SlidingWindowInferer", roi_size=[64, 64, -1], sw_batch_size=windows, overlap=overlap, mode="constant"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roi_size": [64, 0, 64]}, r"roi_size is \[64, 0, 64\], expected a size per axis"),
        ({"roi_size": []}, "roi_size is"),
        ({"roi_size": [8, 8, 8], "batch_size": 0}, "batch_size is 0"),
        ({"roi_size": [8, 8, 8], "overlap": 1.0}, "overlap is 1.0"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ClaraError, match=message):
        TFScanWindowInferer(**options)


def test_roi_size_of_other_data():
    with pytest.raises(ClaraError, match=r"roi_size is \[64, 64, 64\] but the data have 2 spatial axes"):
        TFScanWindowInferer([64, 64, 64]).bundle_entry(BundleContext(spatial_dims=2))
