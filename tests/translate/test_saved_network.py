import json
import sys

import pytest

from clara_compat.config.user_roots import UserRoots
from clara_compat.errors import ClaraError
from clara_compat.translate.render import literal
from clara_compat.translate.saved_network import saved_label_format, saved_network, saved_sizes

NOWHERE = UserRoots(())
UNET = {
    "_target_": "clara_compat.engine.networks.unet.ClaraUNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 2,
    "norm": ["group", {"num_groups": 8}],
}


STOCK = {"_target_": "monai.networks.nets.UNet", "spatial_dims": 3, "in_channels": 2, "out_channels": 3, "act": "PRELU"}
MODULE = {
    "_target_": "clara_compat.engine.legacy.module.user_module",
    "module": {"_target_": "clara_compat.tensorflow.loader.component", "path": "mine.Net", "args": {"width": 3}},
    "name": "Net",
}
LEGACY = {
    "_target_": "clara_compat.tensorflow.network.LegacyNetwork",
    "model": {"_target_": "clara_compat.tensorflow.loader.component", "path": "mine.Inside", "args": {}},
    "name": "Inside",
    "data_property": {
        "_target_": "clara_compat.common.data_prop.DataProperty",
        "task": "classification",
        "data_format": "channels_last",
        "num_channels": 1,
        "label_format": {
            "_target_": "clara_compat.common.label_format.LabelFormat",
            "classes_per_label": [1, 3],
        },
    },
    "spatial_size": [16, 16, 16],
    "learning_rate": 0.1,
}
CODE = """
import torch
from ai4med.components.models.model import Model
from ai4med.components.transforms.transformer import Transformer
class Net(torch.nn.Module):
    def __init__(self, width): ...
    def forward(self, image): ...
class Inside(Model):
    def get_predictions(self, inputs, is_training, build_ctx): ...
class Turn(Transformer): ...
"""


@pytest.fixture
def code(tmp_path):
    """The user's own folder of code, which is not the stranger's."""
    place = tmp_path / "code"
    place.mkdir()
    (place / "mine.py").write_text(CODE)
    return UserRoots((place,))


def folder(tmp_path, content):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "train.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return tmp_path


def test_the_entry_as_it_is(tmp_path):
    assert saved_network(folder(tmp_path, {"network_def": UNET, "run": ["$1/0"]}), NOWHERE).entry == UNET


def test_a_description_is_left_out(tmp_path):
    described = UNET | {"_desc_": "$open('file', 'w').close()"}
    assert saved_network(folder(tmp_path, {"network_def": described}), NOWHERE).entry == UNET


@pytest.mark.parametrize(
    "network",
    [
        {"_target_": "os.system", "command": "true"},
        UNET | {"norm": "$__import__('os')"},
        UNET | {"norm": ["batch", {"_target_": "os.getcwd"}]},
        UNET | {"norm": ["@loss"]},
        UNET | {"_requires_": "$1"},
        UNET | {"in#channels": 1},
        {"_target_": "clara_compat.engine.networks.unet.torch.serialization.os.system", "command": "true"},
        {"_target_": "clara_compat.engine.networks.unet"},
        {"_target_": "monai.networks.nets.torch.serialization.os.system", "command": "true"},
        {"_target_": "monai.networks.nets.unet.UNet"},
        {"_target_": "monai.networks.nets.warnings"},
        {"_target_": "monai.losses.DiceLoss"},
        {"_target_": "torch.nn.Module"},
        STOCK | {"act": "$__import__('os')"},
        STOCK | {"act": ["@loss"]},
        MODULE | {"module": {"_target_": "os.system", "command": "true"}},
        MODULE | {"module": MODULE["module"] | {"extra": 1}},
        MODULE | {"module": MODULE["module"] | {"args": {"a": "$1 + 1"}}},
        MODULE | {"module": MODULE["module"] | {"args": {"_target_": "os.getcwd"}}},
        MODULE | {"more": "@loss"},
        LEGACY | {"data_property": {"_target_": "os.getcwd"}},
        LEGACY | {"data_property": LEGACY["data_property"] | {"task": "$open('x')"}},
        LEGACY | {"data_property": LEGACY["data_property"] | {"label_format": {"_target_": "os.getcwd"}}},
        LEGACY | {"data_property": LEGACY["data_property"] | {"_mode_": "debug"}},
        LEGACY | {"spatial_size": ["$open('x')"]},
        LEGACY | {"spatial_size": [16, 0, 16]},
        LEGACY | {"learning_rate": "x"},
        LEGACY | {"data_property": LEGACY["data_property"] | {"more": 1}},
        LEGACY | {"target": "os.system"},
        LEGACY | {"model": "@model"},
    ],
)
def test_nothing_of_a_strangers_folder_is_run(tmp_path, code, network):
    with pytest.raises(ClaraError, match=r"train.json network_def: network_def is .*: only networks of this package"):
        saved_network(folder(tmp_path, {"network_def": network}), code)


def test_a_network_downloads_nothing_when_its_weights_are_read(tmp_path):
    entry = {"_target_": "monai.networks.nets.ResNetFeatures", "model_name": "resnet10"}
    assert saved_network(folder(tmp_path, {"network_def": entry}), NOWHERE).entry == entry | {"pretrained": False}
    entry = {"_target_": "monai.networks.nets.HoVerNet", "pretrained_url": "http://localhost/x"}
    (tmp_path / "configs/train.json").write_text(json.dumps({"network_def": entry}))
    with pytest.raises(ClaraError, match=r"train.json network_def: the argument 'pretrained_url' of .* is refused"):
        saved_network(tmp_path, NOWHERE)


def test_deep_nesting_is_told(tmp_path, monkeypatch):
    entry = json.dumps(UNET | {"norm": "N"}).replace('"N"', "[" * 100_000 + "]" * 100_000)
    with pytest.raises(ClaraError, match=r"train.json: cannot be read: .*recursion"):
        saved_network(folder(tmp_path, f'{{"network_def": {entry}}}'), NOWHERE)
    nested: list = []  # some parsers of JSON go deeper than Python does
    for _ in range(sys.getrecursionlimit()):
        nested = [nested]
    monkeypatch.setattr(json, "loads", lambda text: {"network_def": UNET | {"norm": nested}})
    with pytest.raises(ClaraError, match=r"train.json network_def: lists and objects are nested too deeply"):
        saved_network(tmp_path, NOWHERE)


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        ({"_target_": "ClaraClassificationLoss", "classes_per_label": [1, 3]}, (1, 3)),
        ({"classes_per_label": [True, 3]}, None),
        ({"classes_per_label": [0, 3]}, None),
        ({"classes_per_label": ["$1"]}, None),
        ({"classes_per_label": []}, None),
        ({"_target_": "ClaraDiceLoss"}, None),
        ("$1/0", None),
        (None, None),
    ],
)
def test_the_label_format_is_numbers_or_none(tmp_path, loss, found):
    assert saved_label_format(folder(tmp_path, {"network_def": UNET, "loss": loss})) == found


def test_messages(tmp_path):
    with pytest.raises(ClaraError, match=r"configs/train.json is missing, .* \(MMAR_CKPT_DIR\)"):
        saved_network(tmp_path, NOWHERE)
    folder(tmp_path, "{")
    with pytest.raises(ClaraError, match=r"train.json: cannot be read: "):
        saved_network(tmp_path, NOWHERE)
    (tmp_path / "configs" / "train.json").write_text("[]")
    with pytest.raises(ClaraError, match=r"train.json: has no network_def"):
        saved_network(tmp_path, NOWHERE)


@pytest.mark.parametrize("entry", [MODULE, LEGACY, STOCK])
def test_own_networks_as_they_are(tmp_path, code, entry):
    saved = saved_network(folder(tmp_path, {"network_def": entry}), code)
    assert saved.entry == entry
    assert saved.root == (None if entry is STOCK else code.ordered[0])


def test_what_was_escaped_is_data_again(tmp_path, code):
    escaped = literal({"note": "@x # $y", "a b": 1})
    entry = MODULE | {"module": MODULE["module"] | {"args": {"width": escaped, "name": literal("100 %")}}}
    assert saved_network(folder(tmp_path, {"network_def": entry}), code).entry == entry


def test_numbers_and_sizes_that_the_entry_does_not_say(tmp_path, code):
    given = {"spatial_dims": 2, "in_channels": 4, "size": [24, 16], "label_format": [1, 1], "task": "classification"}
    config = {"network_def": MODULE, "network_input": given, "validate": {"inferer": {"roi_size": [8, 8]}}}
    saved = saved_network(folder(tmp_path, config), code)
    assert saved.numbers == {"spatial_dims": 2, "in_channels": 4}
    assert saved_sizes(tmp_path) == [(24, 16), (8, 8)]
    assert saved_label_format(tmp_path) == (1, 1)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "theirs.Net",
            r"the network is the user's class 'theirs.Net', .* here in .*code: name its MMAR with export --mmar MMAR",
        ),
        ("mine.Nothing", "mine.py has no class 'Nothing'"),
        ("mine.Inside", r"'mine.Inside' \(.*mine.py:8\) is not the kind of network that was trained"),
        ("mine.Turn", "is not the kind of network that was trained"),
        ("os.system", "'os.system' is refused|the module of 'os.system'"),
    ],
)
def test_code_is_the_users_own(tmp_path, code, path, message):
    (tmp_path / "theirs.py").write_text(CODE)  # beside the weights
    entry = MODULE | {"module": MODULE["module"] | {"path": path}}
    with pytest.raises(ClaraError, match=message):
        saved_network(folder(tmp_path, {"network_def": entry}), code)


def test_a_transform_of_the_users_is_no_network(tmp_path, code):
    entry = LEGACY | {"model": LEGACY["model"] | {"path": "mine.Turn"}}
    with pytest.raises(ClaraError, match="'mine.Turn' .* is not the kind of network that was trained"):
        saved_network(folder(tmp_path, {"network_def": entry}), code)
