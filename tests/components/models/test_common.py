"""What the built-in models share."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

from clara_compat.components.entry import BundleContext
from clara_compat.components.models._common import BuiltInModel
from clara_compat.components.models.alexnet import Alexnet
from clara_compat.components.models.densenet121 import DenseNet121
from clara_compat.components.models.seg_ahnet import SegAhnet
from clara_compat.components.models.seg_resnet import SegResnet
from clara_compat.components.models.unet import Unet
from clara_compat.components.models.unet_parallel import UnetParallel
from clara_compat.config.user_roots import UserRoots
from clara_compat.engine.networks.network import ClaraNetwork
from clara_compat.errors import ClaraError
from clara_compat.translate.render import render
from clara_compat.translate.saved_network import saved_network

SMALL = {
    Unet: {"nf_enc": "4,4", "nf_dec": "4,4,4,4"},
    UnetParallel: {"nf_enc": "4,4", "nf_dec": "4,4,4,4"},
    SegResnet: {"init_filters": 4, "blocks_down": "1,1", "blocks_up": "1", "use_vae": True},
    SegAhnet: {},
    DenseNet121: {},
    Alexnet: {"num_feat": "8,8,8,8,8,8,8"},
}
MODELS = list(SMALL)
WITH_NORMS = [Unet, UnetParallel, SegResnet, Alexnet]
WITH_DROPOUT = [Unet, SegResnet, DenseNet121, Alexnet]

CASES = [
    (model, options, message)
    for models, options, message in (
        (MODELS, {"num_classes": 0}, "num_classes is 0 but must be at least 1"),
        (MODELS, {"final_activation": "softmx"}, "final_activation is 'softmx', .* did you mean 'softmax'"),
        (MODELS, {"data_format": "channel_first"}, "data_format is 'channel_first', .* did you mean 'channels_first'"),
        (MODELS, {"dtype": "float16"}, "dtype is float16, expected float32: use_amp gives mixed precision"),
        (WITH_DROPOUT, {"dropout_prob": 1.5}, "dropout_prob is 1.5 but must be at least 0 and below 1"),
        (WITH_NORMS, {"reg_weight": -1e-5}, "reg_weight is -1e-05 but must not be negative"),
        ([DenseNet121], {"weight_decay": -1.0}, "weight_decay is -1.0 but must not be negative"),
    )
    for model in models
]


@pytest.mark.parametrize(("model", "options", "message"), CASES)
def test_refusals(model, options, message):
    with pytest.raises(ClaraError, match=message):
        model(**{"num_classes": 2} | SMALL[model] | options)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dtype", ["float32", "tf.float32", np.float32, torch.float32])
def test_words_that_change_nothing(model, dtype):
    context = BundleContext(crop_size=(64, 64, 64))
    plain = model(2, **SMALL[model]).bundle_entry(context)
    assert model(2, **SMALL[model], dtype=dtype, data_format="Channels_Last").bundle_entry(context) == plain
    assert model(2, **SMALL[model], final_activation="SoftMax").bundle_entry(context) == plain


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("model", MODELS)
def test_the_entry_makes_the_network_and_can_be_read_again(model, dims, tmp_path):
    component = model(3, **SMALL[model], final_activation="sigmoid")
    entry = component.bundle_entry(
        BundleContext(spatial_dims=dims, in_channels=2, crop_size=({2: 64, 3: 32}[dims],) * dims)
    )
    config = json.loads(json.dumps({"network_def": render(entry)}, allow_nan=False))
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "train.json").write_text(json.dumps(config))
    assert saved_network(tmp_path, UserRoots(())).entry == config["network_def"]
    network = ConfigParser(config).get_parsed_content("network_def")
    assert isinstance(network, ClaraNetwork)
    assert (network.spatial_dims, network.in_channels, network.out_channels) == (dims, 2, 3)
    assert network.activation.name == "sigmoid"
    assert network.divisor == 2**component.halvings
    if dims == 2:
        out = network(torch.rand(2, 2, 64, 64)).detach()
        assert 0 <= out.min() < out.max() <= 1
        extra = network.extra_loss().item()
        assert bool(extra) == component.has_extra_loss, "only SegResnet, whose VAE is on"


@pytest.mark.parametrize("model", [Unet, SegResnet, Alexnet, DenseNet121])
def test_what_has_a_loss_of_its_own(model):
    name = "weight_decay" if model is DenseNet121 else "reg_weight"
    options = SMALL[model] | {"use_vae": False} if model is SegResnet else SMALL[model]
    assert not model(2, **options).has_extra_loss
    penalised = model(2, **options, **{name: 1e-4})
    assert penalised.has_extra_loss
    assert penalised.bundle_entry(BundleContext()).arguments["reg_weight"] == 1e-4


@pytest.mark.parametrize("model", WITH_NORMS)
def test_normalisation(model):
    def norm(**options):
        component = model(2, **SMALL[model], **options)
        entry = component.bundle_entry(BundleContext(crop_size=(32, 32, 32)))
        return entry.arguments["norm"], [text for text in component.notices(BundleContext()) if "norm" in text]

    assert norm(use_batch_norm=False, use_group_norm=False) == (None, [])
    assert norm(use_batch_norm=False, use_group_norm=True) == (["group", {"num_groups": 8}], [])
    assert norm(use_batch_norm=False, use_group_norm=True, use_group_normG=2)[0] == ["group", {"num_groups": 2}]
    assert norm(use_batch_norm=True, use_group_norm=False) == ("batch", [])
    both, [notice] = norm(use_batch_norm=True, use_group_norm=True, use_group_normG=3)
    assert both == "batch"
    assert (
        notice == "use_batch_norm and use_group_norm (if only by default) are both true: normalisation over the batch"
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("classes", "asked", "expected"),
    [(1, "Softmax", "sigmoid"), (1, "linear", "linear"), (1, "sigmoid", "sigmoid"), (2, "softmax", "softmax")],
)
def test_a_softmax_over_one_channel_is_a_sigmoid(model, classes, asked, expected):
    component, context = model(classes, **SMALL[model], final_activation=asked), BundleContext(crop_size=(64, 64, 64))
    assert component.bundle_entry(context).arguments["final_activation"] == component.activation == expected
    said = [text for text in component.notices(context) if "num_classes is 1, over which a softmax" in text]
    assert len(said) == ((classes, asked) == (1, "Softmax"))


@pytest.mark.parametrize("model", MODELS)
def test_every_argument_is_kept_under_its_name(model):
    component = model(2, **SMALL[model])
    for name, parameter in inspect.signature(model.__init__).parameters.items():
        if name not in ("self", "num_classes") and name not in SMALL[model]:
            assert getattr(component, name) == parameter.default


def test_a_model_must_say_what_its_network_is_made_of():
    class Mine(BuiltInModel):
        becomes = "somewhere"

    mine = Mine(2, "softmax", "channels_first", "float32")
    mine.check_size("roi_size", [3, 5])
    with pytest.raises(NotImplementedError, match="Mine does not say what its network is made of"):
        mine.bundle_entry(BundleContext())
