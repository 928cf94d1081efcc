"""Listing and converting files of weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clara_compat.errors import ClaraError
from clara_compat.run.weights import Tensor, convert_weights, list_weights

CHECKPOINTS = Path(__file__).parents[1] / "references" / "tensorflow_checkpoints"
NETWORK = CHECKPOINTS / "network"
NAMES = {
    "CustomNetwork/conv3d/kernel": "down.weight",
    "CustomNetwork/conv3d/bias": "down.bias",
    "CustomNetwork/up/kernel": "up.weight",
    "CustomNetwork/up/bias": "up.bias",
    "CustomNetwork/conv3d_1/kernel": "head.weight",
    "CustomNetwork/conv3d_1/bias": "head.bias",
    "CustomNetwork/dense/kernel": "gate.weight",
    "CustomNetwork/dense/bias": "gate.bias",
}


class Native(nn.Module):
    """The network of the checkpoint in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv3d(1, 4, 3, stride=2)
        self.up = nn.ConvTranspose3d(4, 3, 2, stride=2)
        self.head = nn.Conv3d(3, 2, 1)
        self.gate = nn.Linear(2, 3)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = F.relu(self.up(F.relu(self.down(F.pad(image, (0, 1, 0, 1, 0, 1))))))
        volume = self.head(x)
        return volume, self.gate(volume.mean((2, 3, 4)))


@pytest.fixture
def names(tmp_path):
    def write(content):
        file = tmp_path / "names.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return file

    return write


@pytest.fixture
def like(tmp_path):
    torch.save({"network": Native().state_dict()}, tmp_path / "like.pt")
    return tmp_path / "like.pt"


def test_a_checkpoint_in_torchs_network(tmp_path, names, like):
    """What a mapping makes gives TensorFlow's outputs in a network of torch's."""
    done = convert_weights(NETWORK, tmp_path / "out/weights.pt", names=names(NAMES), like=like)
    assert (done.names, done.left, done.of_training) == (NAMES, [], 19)
    network = Native()
    network.load_state_dict(torch.load(tmp_path / "out/weights.pt", weights_only=True))
    with np.load(CHECKPOINTS / "expected.npz") as arrays, torch.no_grad():
        volume, gate = network(torch.from_numpy(arrays["network:input"]))
        np.testing.assert_allclose(volume.numpy(), arrays["network:output"], atol=1e-5)
        np.testing.assert_allclose(gate.numpy(), arrays["network:gate"], atol=1e-5)


def test_what_a_mapping_leaves_out(tmp_path, names):
    some = {"CustomNetwork/dense/bias": "bias", "global_step": "steps"}
    done = convert_weights(NETWORK, tmp_path / "weights.pt", names=names(some))
    assert done.left == [name for name in sorted(NAMES) if name not in some]
    assert done.of_training == 18
    found = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert {name: (value.dtype, value.shape) for name, value in found.items()} == {
        "bias": (torch.float32, (3,)),
        "steps": (torch.int64, ()),
    }


def test_without_a_mapping_names_and_axes_stay(tmp_path):
    done = convert_weights(NETWORK, tmp_path / "weights.pt")
    assert list(done.names) == list(done.names.values()) == sorted(NAMES)
    found = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert found["CustomNetwork/conv3d/kernel"].shape == (3, 3, 3, 1, 4)


@pytest.mark.parametrize("name", ["dtypes", "sharded", "partitioned"])
def test_every_kind_of_value_is_written(tmp_path, name):
    convert_weights(CHECKPOINTS / name, tmp_path / "weights.pt")
    found = torch.load(tmp_path / "weights.pt", weights_only=True)
    with np.load(CHECKPOINTS / "expected.npz") as arrays:
        for key, value in found.items():
            np.testing.assert_array_equal(value.numpy(), arrays[f"{name}/{key}"])
    assert len(found) == {"dtypes": 17, "sharded": 6, "partitioned": 3}[name]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1]", r"names.json:1: holds a list at the top level"),
        ({}, r'names.json: names nothing, expected {"TensorFlow\'s name": "the network\'s"}'),
        ({"a": 1}, r"names.json:2 a: 'a' is given 1, expected the name of a tensor of the network"),
        (
            {"CustomNetwork/conv3d/kernal": "w"},
            r"names.json:2 .*: '.*' has no weights 'CustomNetwork/conv3d/kernal'; did you mean 'Custom.*/kernel'\?",
        ),
        ({"qqqqqqqq": "w"}, r"has no weights 'qqqqqqqq' \(clara-compat weights list .*network shows its names\)"),
        (
            {"CustomNetwork/up/bias": "w", "CustomNetwork/dense/bias": "w"},
            r"names.json:3 .*: 'CustomNetwork/up/bias' and 'CustomNetwork/dense/bias' are both given the name 'w'",
        ),
        (
            '{"CustomNetwork/up/bias": "a",\n"CustomNetwork/up/bias": "b"}',
            r"names.json:2 .*: 'CustomNetwork/up/bias' stands twice in this object",
        ),
        (
            {"CustomNetwork/up/bias": "up.bais"},
            r"names.json CustomNetwork/up/bias: '.*like.pt' has no tensor 'up.bais'; did you mean 'up.bias'\?",
        ),
        (
            {"CustomNetwork/up/bias": "down.bias"},
            r"names.json CustomNetwork/up/bias: 'CustomNetwork/up/bias' is \(3,\), the network's 'down.bias' is \(4,\)",
        ),
        (
            {"CustomNetwork/up/kernel": "down.weight"},
            r"is \(2, 2, 2, 3, 4\), in torch \(4, 3, 2, 2, 2\), the network's 'down.weight' is \(4, 1, 3, 3, 3\)",
        ),
    ],
)
def test_mappings_that_do_not_fit(tmp_path, names, like, content, message):
    with pytest.raises(ClaraError, match=message):
        convert_weights(NETWORK, tmp_path / "weights.pt", names=names(content), like=like)
    assert not (tmp_path / "weights.pt").exists()


def test_nothing_is_overwritten(tmp_path):
    out = tmp_path / "weights.pt"
    out.write_bytes(b"mine")
    with pytest.raises(ClaraError, match=r"weights.pt exists: name another file, or add --force to replace it"):
        convert_weights(NETWORK, out)
    assert out.read_bytes() == b"mine"
    convert_weights(NETWORK, out, force=True)
    assert len(torch.load(out, weights_only=True)) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pt"]


def test_requests_that_cannot_be_met(tmp_path, like, names):
    with pytest.raises(ClaraError, match=r"weights.bin does not end in .pt, .*: name it weights.pt$"):
        convert_weights(NETWORK, tmp_path / "weights.bin")
    with pytest.raises(ClaraError, match="--like checks what --map names: name the mapping, too"):
        convert_weights(NETWORK, tmp_path / "weights.pt", like=like)
    with pytest.raises(ClaraError, match=r"like.pt' is no TensorFlow checkpoint: it needs no conversion"):
        convert_weights(like, tmp_path / "weights.pt")
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match=r"weights.pt cannot be written: "):
        convert_weights(NETWORK, tmp_path / "file/weights.pt")


def test_a_list_of_each_kind(like):
    found = list_weights(NETWORK)
    assert found.path == CHECKPOINTS / "network.index"
    assert found.tensors[0] == Tensor("CustomNetwork/conv3d/bias", "float32", (4,))
    assert found.tensors[1] == Tensor("CustomNetwork/conv3d/bias/Adam", "float32", (4,), of_training=True)
    assert found.tensors[3].elements == 108
    assert found.as_json()["format"] == "TensorFlow checkpoint"
    own = list_weights(like)
    assert own.tensors[0] == Tensor("down.weight", "float32", (4, 1, 3, 3, 3))
    assert own.as_json()["tensors"][0] == {
        "name": "down.weight",
        "dtype": "float32",
        "shape": [4, 1, 3, 3, 3],
        "of_training": False,
    }
    assert own.as_json()["format"] == "state dict"


def test_a_checkpoint_named_exactly_is_meant(tmp_path):
    """Elsewhere ``model.ckpt`` is this package's ``model.pt`` when both are there."""
    for file in CHECKPOINTS.glob("sharded.*"):
        (tmp_path / file.name.replace("sharded", "model.ckpt")).write_bytes(file.read_bytes())
    torch.save({"a": torch.zeros(1)}, tmp_path / "model.pt")
    assert len(list_weights(tmp_path / "model.ckpt").tensors) == 6
    assert len(list_weights(tmp_path / "model.pt").tensors) == 1
    assert len(list_weights(tmp_path).tensors) == 1
