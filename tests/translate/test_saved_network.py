import json
import sys

import pytest

from clara_compat.errors import ClaraError
from clara_compat.translate.saved_network import saved_label_format, saved_network_def

UNET = {
    "_target_": "clara_compat.engine.networks.unet.ClaraUNet",
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 2,
    "norm": ["group", {"num_groups": 8}],
}


def folder(tmp_path, content):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "train.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return tmp_path


def test_the_entry_as_it_is(tmp_path):
    assert saved_network_def(folder(tmp_path, {"network_def": UNET, "run": ["$1/0"]})) == UNET


def test_a_description_is_left_out(tmp_path):
    described = UNET | {"_desc_": "$open('file', 'w').close()"}
    assert saved_network_def(folder(tmp_path, {"network_def": described})) == UNET


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
    ],
)
def test_nothing_of_a_strangers_folder_is_run(tmp_path, network):
    with pytest.raises(ClaraError, match=r"train.json network_def: network_def is .*: only networks of this package"):
        saved_network_def(folder(tmp_path, {"network_def": network}))


def test_deep_nesting_is_told(tmp_path, monkeypatch):
    entry = json.dumps(UNET | {"norm": "N"}).replace('"N"', "[" * 100_000 + "]" * 100_000)
    with pytest.raises(ClaraError, match=r"train.json: cannot be read: .*recursion"):
        saved_network_def(folder(tmp_path, f'{{"network_def": {entry}}}'))
    nested: list = []  # some parsers of JSON go deeper than Python does
    for _ in range(sys.getrecursionlimit()):
        nested = [nested]
    monkeypatch.setattr(json, "loads", lambda text: {"network_def": UNET | {"norm": nested}})
    with pytest.raises(ClaraError, match=r"train.json network_def: lists and objects are nested too deeply"):
        saved_network_def(tmp_path)


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
        saved_network_def(tmp_path)
    folder(tmp_path, "{")
    with pytest.raises(ClaraError, match=r"train.json: cannot be read: "):
        saved_network_def(tmp_path)
    (tmp_path / "configs" / "train.json").write_text("[]")
    with pytest.raises(ClaraError, match=r"train.json: has no network_def"):
        saved_network_def(tmp_path)
