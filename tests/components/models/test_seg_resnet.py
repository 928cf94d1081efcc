"""The catalogue's SegResnet."""

from __future__ import annotations

import pytest

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.models.seg_resnet import SegResnet
from clara_compat.errors import ClaraError


def test_entry_of_the_defaults():
    assert SegResnet(num_classes=2).bundle_entry(BundleContext(spatial_dims=2, in_channels=4)) == Entry(
        "clara_compat.engine.networks.segresnet.ClaraSegResNet",
        spatial_dims=2,
        in_channels=4,
        out_channels=2,
        init_filters=8,
        blocks_down=[1, 2, 2, 4],
        blocks_up=[1, 1, 1],
        norm=["group", {"num_groups": 8}],
        dropout_prob=0.0,
        reg_weight=0.0,
        vae_image_size=None,
        final_activation="softmax",
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"blocks_down": "1, 2,1", "blocks_up": " 1,3"}, {"blocks_down": [1, 2, 1], "blocks_up": [1, 3]}),
        ({"blocks_down": "2", "blocks_up": ""}, {"blocks_down": [2], "blocks_up": []}),
        ({"init_filters": 2, "dropout_prob": 0.2}, {"init_filters": 2, "dropout_prob": 0.2}),
        ({"use_vae": True}, {"vae_image_size": [32, 48, 64]}),
        ({"reg_weight": 1e-5, "final_activation": "linear"}, {"reg_weight": 1e-5, "final_activation": "linear"}),
    ],
)
def test_entry_of_options(options, expected):
    arguments = SegResnet(2, **options).bundle_entry(BundleContext(crop_size=(32, 48, 64))).arguments
    assert {name: arguments[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks_down": "1,2,x"}, "blocks_down is '1,2,x', expected positive whole numbers separated by commas"),
        ({"blocks_up": "1,0,1"}, "blocks_up is '1,0,1'"),
        ({"blocks_up": "1,1"}, "blocks_up has 2 entries and blocks_down 4: blocks_up needs exactly one less"),
        ({"init_filters": 0}, "init_filters is 0 but must be at least 1"),
        ({"use_group_normG": 3}, "use_group_normG is 3, which does not divide the 8 channels of init_filters"),
        ({"use_group_normG": 6, "init_filters": 6, "use_vae": True}, "divide the 16 channels of the VAE's code"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ClaraError, match=message):
        SegResnet(2, **options)


@pytest.mark.parametrize(
    ("crop_size", "message"),
    [
        (None, "use_vae needs the size of the training images, .* is not given: give the size of the crops"),
        ((-1, -1, -1), r"output_crop_size of the image pipeline is \[-1, -1, -1\]"),
        (
            (32, 32, 24),
            r"VAE of SegResnet halves its input 4 times, .* multiple of 16, .* is \[32, 32, 24\]: use other",
        ),
        ((32, 32, 12), r"the SegResnet halves its input 3 times, .* fewer entries in blocks_down and blocks_up"),
    ],
)
def test_refused_crop_sizes(crop_size, message):
    with pytest.raises(ClaraError, match=message):
        SegResnet(2, use_vae=True).bundle_entry(BundleContext(crop_size=crop_size))


def test_a_window_may_be_smaller_than_the_vae():
    SegResnet(2, use_vae=True).check_size("roi_size", [24, 24, 24])
    with pytest.raises(ClaraError, match=r"roi_size is \[20\]"):
        SegResnet(2).check_size("roi_size", [20])
