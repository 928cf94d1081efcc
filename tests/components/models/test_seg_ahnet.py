"""The catalogue's SegAhnet."""

from __future__ import annotations

import pytest

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.models.seg_ahnet import SegAhnet
from clara_compat.errors import ClaraError


def test_entry_of_the_defaults():
    assert SegAhnet(num_classes=2).bundle_entry(BundleContext(in_channels=4, crop_size=(224, 224, 32))) == Entry(
        "clara_compat.engine.networks.ahnet.ClaraAHNet",
        spatial_dims=3,
        in_channels=4,
        out_channels=2,
        psp=False,
        anisotropic_axis=2,
        final_activation="softmax",
    )


@pytest.mark.parametrize(
    ("plane", "dims", "axis"), [("x", 3, 0), ("y", 3, 1), ("Z", 3, 2), ("x", 2, 0), ("y", 2, 1), ("z", 2, 1)]
)
def test_plane(plane, dims, axis):
    component = SegAhnet(2, plane=plane, if_use_psp=True, n_spatial_dim=dims)
    arguments = component.bundle_entry(BundleContext(spatial_dims=dims)).arguments
    assert (arguments["anisotropic_axis"], arguments["psp"]) == (axis, True)


@pytest.mark.parametrize(
    ("options", "context", "message"),
    [
        ({"plane": "w"}, BundleContext(), "plane is 'w', expected one of x, y, z"),
        ({"n_spatial_dim": 2}, BundleContext(), "n_spatial_dim is 2 but the images of the pipeline have 3 spatial"),
        (
            {},
            BundleContext(crop_size=(48, 64, 32)),
            r"SegAhnet halves its input 5 times, .* is \[48, 64, 32\]: use other",
        ),
        (
            {"if_use_psp": True},
            BundleContext(crop_size=(128, 96, 32)),
            r"if_use_psp pools over 128 voxels, .* but output_crop_size is \[128, 96, 32\]: .* set if_use_psp to false",
        ),
        ({"if_use_psp": True, "plane": "y"}, BundleContext(crop_size=(128, 128, 64)), "sizes within a slice"),
    ],
)
def test_refusals(options, context, message):
    with pytest.raises(ClaraError, match=message):
        SegAhnet(2, **options).bundle_entry(context)


@pytest.mark.parametrize(("plane", "size"), [("y", (128, 32, 160)), ("z", (224, 224, 32)), ("z", (-1, 128, 32))])
def test_accepted_sizes_with_the_pyramid(plane, size):
    SegAhnet(2, if_use_psp=True, plane=plane).bundle_entry(BundleContext(crop_size=size))


@pytest.mark.parametrize(
    ("options", "notice"),
    [
        ({}, "Clara fetched ImageNet weights when none were named: here SegAhnet starts from random weights"),
        ({"pretrain_weight_name": "resnet50.h5"}, "the pretrained weights 'resnet50.h5' are of a format"),
        ({"pretrain_weight_name": "resnet50.h5", "pretrain_weight_url": "ftp://x"}, "'resnet50.h5'"),
        ({"pretrain_weight_url": ["ftp://x", "ftp://y"]}, "'ftp://x, ftp://y' are of a format that is not read"),
        ({"pretrain_weight_name": []}, None),
        ({"pretrain_weight_name": ""}, None),
    ],
)
def test_one_notice_of_pretrained_weights(options, notice):
    notices = SegAhnet(2, **options).notices(BundleContext())
    assert len(notices) == (notice is not None)
    assert notice is None or notice in notices[0]
