"""The catalogue's Alexnet and DenseNet121."""

from __future__ import annotations

import pytest

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.models.alexnet import Alexnet
from clara_compat.components.models.densenet121 import DenseNet121
from clara_compat.errors import ClaraError


def test_alexnet_of_the_defaults():
    assert Alexnet(num_classes=2).bundle_entry(BundleContext(spatial_dims=2, in_channels=3)) == Entry(
        "clara_compat.engine.networks.alexnet.ClaraAlexNet",
        spatial_dims=2,
        in_channels=3,
        out_channels=2,
        features=[96, 256, 512, 1024, 1024, 3072, 4096],
        mil=False,
        norm=["group", {"num_groups": 8}],
        dropout_prob=0.5,
        reg_weight=0.0,
        final_activation="softmax",
    )


def test_alexnet_of_options():
    component = Alexnet(5, "8,8, 16,8,8,7,9", mil=True, dropout_prob=0.0)
    arguments = component.bundle_entry(BundleContext(crop_size=(33, 7, -1))).arguments
    assert (arguments["features"], arguments["mil"]) == ([8, 8, 16, 8, 8, 7, 9], True)
    assert arguments["dropout_prob"] == 0.0


def test_densenet_as_it_was_seen_in_use():
    component = DenseNet121(num_classes=2, weight_decay=1e-5, pretrain_weight_name=[], n_spatial_dim=3)
    assert component.bundle_entry(BundleContext(crop_size=(64, 64, 64))) == Entry(
        "clara_compat.engine.networks.densenet.ClaraDenseNet121",
        spatial_dims=3,
        in_channels=1,
        out_channels=2,
        dropout_prob=0.0,
        reg_weight=1e-5,
        final_activation="softmax",
    )
    assert component.notices(BundleContext()) == []


def test_densenet_says_once_that_pretrained_weights_are_not_read():
    [notice] = DenseNet121(2, pretrain_weight_name="densenet121.h5", pretrain_weight_url="ftp://x").notices(
        BundleContext()
    )
    assert notice.startswith("the pretrained weights 'densenet121.h5' are of a format that is not read: the network")


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (
            Alexnet,
            {"num_feat": "1,2,3"},
            "num_feat has 3 numbers, expected 7: of five convolutions and two dense layers",
        ),
        (Alexnet, {"num_feat": "a"}, "num_feat is 'a', expected positive whole numbers"),
        (Alexnet, {"use_group_normG": 7}, "use_group_normG is 7, which does not divide the 96 channels of num_feat"),
        (
            DenseNet121,
            {"n_spatial_dim": 2},
            "n_spatial_dim is 2 but the images of the pipeline have 3 spatial dimensions",
        ),
    ],
)
def test_refusals(model, options, message):
    with pytest.raises(ClaraError, match=message):
        model(2, **options).bundle_entry(BundleContext())


def test_refused_sizes():
    DenseNet121(2).bundle_entry(BundleContext(crop_size=(29, -1, 31)))
    with pytest.raises(ClaraError, match=r"sizes must be at least 29, but output_crop_size is \[28, 64, 64\]"):
        DenseNet121(2).bundle_entry(BundleContext(crop_size=(28, 64, 64)))
