"""TFSimpleInferer, and the inferers that asked a server."""

from __future__ import annotations

import pytest

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.inferers.tf_simple_inferer import TFSimpleInferer
from clara_compat.components.inferers.trtis_scan_window_inferer import TRTISScanWindowInferer
from clara_compat.components.inferers.trtis_simple_inferer import TRTISSimpleInferer
from clara_compat.errors import ClaraError

SERVER = {"model_name": "liver", "ip": "10.0.0.1", "port": 8001, "protocol": "GRPC"}


def windows(size, batch_size=1, overlap=0.0):
    return Entry("SlidingWindowInferer", roi_size=size, sw_batch_size=batch_size, overlap=overlap, mode="constant")


@pytest.mark.parametrize(
    ("inferer", "crop_size", "expected"),
    [
        (TFSimpleInferer(), None, Entry("SimpleInferer")),
        (TRTISSimpleInferer(**SERVER), None, Entry("SimpleInferer")),
        (TRTISScanWindowInferer(**SERVER), (64, 64, 32), windows([64, 64, 32])),
        (
            TRTISScanWindowInferer(**SERVER, roi_size=[96, 96, -1], batch_size=2, overlap=0.5),
            (8, 8, 8),
            windows([96, 96, -1], 2, 0.5),
        ),
    ],
)
def test_entry(inferer, crop_size, expected):
    assert inferer.bundle_entry(BundleContext(crop_size=crop_size)) == expected


@pytest.mark.parametrize("cls", [TRTISSimpleInferer, TRTISScanWindowInferer])
def test_it_is_said_that_no_server_is_asked(cls):
    [notice] = cls(**SERVER).notices(BundleContext())
    assert notice == (
        "the server at 10.0.0.1:8001 is not asked: the network of this config runs here, not the server's model 'liver'"
    )
    assert cls.fidelity.level == "approximate"
    assert not TFSimpleInferer().notices(BundleContext())


@pytest.mark.parametrize(
    ("section", "advice"),
    [("validate", "give roi_size here, or the pipeline an output_crop_size$"), ("evaluate", "give roi_size here$")],
)
@pytest.mark.parametrize("size", [None, (-1, -1, -1)])
def test_a_window_of_unknown_size(size, section, advice):
    """An evaluation has no pipeline."""
    with pytest.raises(ClaraError, match=f"the size of a window is not known: .* {advice}"):
        TRTISScanWindowInferer("m").bundle_entry(BundleContext(crop_size=size, section=section))


def test_protocol():
    with pytest.raises(ClaraError, match="protocol is 'FTP', expected HTTP or GRPC"):
        TRTISSimpleInferer("m", protocol="FTP")
