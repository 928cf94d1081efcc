"""The catalogue's Unet."""

from __future__ import annotations

import pytest

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.models.unet import Unet
from clara_compat.components.models.unet_parallel import UnetParallel
from clara_compat.errors import ClaraError


def test_entry_of_the_defaults():
    assert Unet(num_classes=2).bundle_entry(BundleContext(spatial_dims=2, in_channels=3)) == Entry(
        "clara_compat.engine.networks.unet.ClaraUNet",
        spatial_dims=2,
        in_channels=3,
        out_channels=2,
        encoder_channels=[32, 64, 64, 64],
        decoder_channels=[64, 64, 64, 64, 64, 32, 32],
        norm=None,
        dropout_prob=0.0,
        reg_weight=0.0,
        final_activation="softmax",
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"nf_enc": " 8, 16", "nf_dec": "8,8 ,8,8"}, {"encoder_channels": [8, 16], "decoder_channels": [8, 8, 8, 8]}),
        ({"use_batch_norm": True}, {"norm": "batch"}),
        ({"use_group_norm": True, "use_group_normG": 4}, {"norm": ["group", {"num_groups": 4}]}),
        ({"nf_enc": "4,2", "nf_dec": "4,4,4,4", "use_group_norm": True}, {"norm": ["group", {"num_groups": 8}]}),
        ({"reg_weight": 1e-5}, {"reg_weight": 1e-5}),
        ({"final_activation": "Sigmoid", "dropout_prob": 0.2}, {"final_activation": "sigmoid", "dropout_prob": 0.2}),
        ({"dtype": "tf.float32", "data_format": "channels_last"}, {}),
    ],
)
def test_entry_of_options(options, expected):
    arguments = Unet(num_classes=2, **options).bundle_entry(BundleContext()).arguments
    assert {name: arguments[name] for name in expected} == expected


@pytest.mark.parametrize("crop_size", [None, (64, 64, 64), (-1, -1, -1), (-1, 32, 16)])
def test_accepted_crop_sizes(crop_size):
    Unet(2).bundle_entry(BundleContext(crop_size=crop_size))


def test_refused_crop_size():
    context = BundleContext(crop_size=(64, 60, -1))
    with pytest.raises(ClaraError, match=r"halves its input 4 times, .* multiple of 16, .* is \[64, 60, -1\]"):
        Unet(2).bundle_entry(context)
    with pytest.raises(ClaraError, match=r"but roi_size is \[100\]"):
        Unet(2).check_size("roi_size", [100])
    Unet(2, nf_enc="8,8", nf_dec="8,8,8,8").bundle_entry(context)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nf_enc": "32,x"}, "nf_enc is '32,x', expected positive whole numbers separated by commas"),
        ({"nf_enc": ""}, "nf_enc is ''"),
        ({"nf_dec": "32,-1,4,4,4,4"}, "nf_dec is '32,-1,4,4,4,4'"),
        ({"nf_dec": "32,32,32,32,32"}, "nf_dec has 5 entries and nf_enc 4: nf_dec needs at least two more"),
        ({"use_group_norm": True, "use_group_normG": 5}, "use_group_normG is 5, which does not divide the 32 channels"),
        ({"use_group_norm": True, "use_group_normG": 0}, "use_group_normG is 0"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ClaraError, match=message):
        Unet(**{"num_classes": 2} | options)


def test_unet_parallel_is_the_same_network_on_one_device():
    options = {"nf_enc": "8,8", "nf_dec": "8,8,8,8", "use_batch_norm": True, "use_group_norm": True}
    context = BundleContext()
    parallel, plain = UnetParallel(2, **options), Unet(2, **options)
    assert parallel.bundle_entry(context) == plain.bundle_entry(context)
    [both, one_device] = parallel.notices(context)
    assert plain.notices(context) == [both]
    assert "UnetParallel is not spread over several GPUs: the same network runs whole on one device" in one_device
    with pytest.raises(ClaraError, match="the UnetParallel halves its input 2 times"):
        parallel.check_size("roi_size", [10, 8])
