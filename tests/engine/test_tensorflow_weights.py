"""TensorFlow's checkpoints in networks that know TensorFlow's names."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clara_compat.engine.fine_tuning import load_into
from clara_compat.engine.model_files import network_with_weights
from clara_compat.engine.tensorflow_weights import match_checkpoint
from clara_compat.engine.weights import read_weights
from clara_compat.errors import ClaraError
from clara_compat.run.weights import convert_weights

CHECKPOINTS = Path(__file__).parents[1] / "references" / "tensorflow_checkpoints"
INDEX = CHECKPOINTS / "network.index"
SHAPES = {
    "conv3d/kernel": (3, 3, 3, 1, 4),
    "conv3d/bias": (4,),
    "up/kernel": (2, 2, 2, 3, 4),
    "up/bias": (3,),
    "conv3d_1/kernel": (1, 1, 1, 3, 2),
    "conv3d_1/bias": (2,),
    "dense/kernel": (2, 3),
    "dense/bias": (3,),
}


class Legacy(nn.Module):
    """A network whose variables have TensorFlow's names and order of axes, as user code for TensorFlow makes them."""

    def __init__(self, **shapes: tuple[int, ...] | None) -> None:
        super().__init__()
        self.variables = nn.Module()
        for name, shape in (SHAPES | shapes).items():
            if shape is not None:
                self.variables.register_parameter(f"CustomNetwork/{name}", nn.Parameter(torch.zeros(shape)))

    def tensorflow_names(self) -> dict[str, str]:
        return {name: name.removeprefix("variables.") for name in self.state_dict()}

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        own = {name.removeprefix("CustomNetwork/"): value for name, value in self.variables.named_parameters()}

        def kernel(name: str) -> torch.Tensor:
            return own[f"{name}/kernel"].permute(4, 3, 0, 1, 2)

        x = F.relu(F.conv3d(F.pad(image, (0, 1, 0, 1, 0, 1)), kernel("conv3d"), own["conv3d/bias"], stride=2))
        x = F.relu(F.conv_transpose3d(x, kernel("up"), own["up/bias"], stride=2))
        volume = F.conv3d(x, kernel("conv3d_1"), own["conv3d_1/bias"])
        return volume, volume.mean((2, 3, 4)) @ own["dense/kernel"] + own["dense/bias"]


@pytest.fixture(scope="module")
def expected() -> dict[str, torch.Tensor]:
    with np.load(CHECKPOINTS / "expected.npz") as arrays:
        return {key: torch.from_numpy(arrays[f"network:{key}"]) for key in ("input", "output", "gate")}


def gives_tensorflows(network: nn.Module, expected: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        volume, gate = network(expected["input"])
    torch.testing.assert_close(volume, expected["output"], atol=1e-5, rtol=0)
    torch.testing.assert_close(gate, expected["gate"], atol=1e-5, rtol=0)


def test_a_checkpoint_loads_by_name(expected, caplog):
    with caplog.at_level(logging.INFO, "clara_compat"):
        gives_tensorflows(load_into(Legacy(), INDEX), expected)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", f"weights of {INDEX}: 8 of the network's 8 tensors are taken over"),
        ("INFO", "  19 variables of the training (its optimizer, counters) are left out"),
    ]


def test_an_evaluation_takes_it_too(expected, caplog):
    with caplog.at_level(logging.INFO, "clara_compat"):
        network = network_with_weights(Legacy(), INDEX, "cpu")
    assert not network.training
    gives_tensorflows(network, expected)
    assert f"weights of {INDEX}: 19 variables of the training" in caplog.text
    with pytest.raises(
        ClaraError, match=r"not those of the Legacy: CustomNetwork/new/kernel: missing in the checkpoint"
    ):
        network_with_weights(Legacy(**{"new/kernel": (2,)}), INDEX, "cpu")


def test_names_of_either_side_are_listed(caplog):
    network = Legacy(**{"new/kernel": (2,), "dense/kernel": None, "dense/bias": None})
    network.register_buffer("counter", torch.zeros(()))
    names = network.tensorflow_names()
    del names["counter"]
    network.tensorflow_names = lambda: names
    with caplog.at_level(logging.INFO, "clara_compat"):
        load_into(network, INDEX)
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert [record.getMessage() for record in caplog.records] == [
        f"weights of {INDEX}: 6 of the network's 8 tensors are taken over, the others keep their new weights:",
        "  CustomNetwork/new/kernel: missing in the checkpoint",
        "  counter: no variable of TensorFlow",
        "  CustomNetwork/dense/bias: not in the network",
        "  CustomNetwork/dense/kernel: not in the network",
        "  19 variables of the training (its optimizer, counters) are left out",
    ]


def test_another_shape_is_an_error():
    with pytest.raises(
        ClaraError, match=r"the variable 'CustomNetwork/dense/bias' of .* \(3\), the network's 'variables"
    ):
        match_checkpoint(INDEX, Legacy(**{"dense/bias": (5,)}))


def test_the_checkpoint_of_another_model():
    message = (
        r"nothing in the TensorFlow checkpoint '.*sharded' fits the network: its variables are on_0/kernel, "
        r"on_0/step, on_1/kernel, \.\.\. \(6 in all\), those of Legacy are CustomNetwork/conv3d/kernel, .*; name the"
    )
    with pytest.raises(ClaraError, match=message):
        match_checkpoint(CHECKPOINTS / "sharded.index", Legacy())


def test_a_network_of_torchs_has_no_names():
    message = (
        r"the variables of the TensorFlow checkpoint '.*/network' \(CustomNetwork/conv3d/bias, "
        r"CustomNetwork/conv3d/kernel, CustomNetwork/conv3d_1/bias, ... \(8 in all\)\) have no known place in Linear, "
        r"whose tensors are weight, bias: write which is which as JSON, \{\"TensorFlow's name\": \"the network's\"\}, "
        r"and name what clara-compat weights convert .*/network --map names.json -o weights.pt writes$"
    )
    with pytest.raises(ClaraError, match=message):
        load_into(nn.Linear(2, 3), INDEX)


def test_a_checkpoint_without_weights(monkeypatch, tmp_path):
    monkeypatch.setattr("clara_compat.tensorflow.checkpoint.matching.weights_of", lambda checkpoint: {})
    with pytest.raises(ClaraError, match=r"the TensorFlow checkpoint '.*network' holds no weights"):
        match_checkpoint(INDEX, Legacy())
    with pytest.raises(ClaraError, match=r"the TensorFlow checkpoint '.*network' holds no weights"):
        convert_weights(CHECKPOINTS / "network", tmp_path / "weights.pt")


def test_a_checkpoint_of_tensorflow_2():
    assert match_checkpoint(CHECKPOINTS / "objects.index", Objects()).taken.keys() == {"w"}


class Objects(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(3))

    def tensorflow_names(self) -> dict[str, str]:
        return {"w": "weights/.ATTRIBUTES/VARIABLE_VALUE"}


def test_a_converted_checkpoint_loads_by_name(tmp_path, expected, caplog):
    convert_weights(CHECKPOINTS / "network", tmp_path / "weights.pt")
    gives_tensorflows(network_with_weights(Legacy(), tmp_path / "weights.pt", "cpu"), expected)
    with caplog.at_level(logging.INFO, "clara_compat"):
        load_into(Legacy(**{"dense/kernel": None}), tmp_path / "weights.pt")
    assert [record.getMessage() for record in caplog.records][1:] == [
        "  CustomNetwork/dense/kernel: not in the network"
    ]


def test_tensorflows_first_format_is_told():
    with pytest.raises(ClaraError, match=r"first_format' is a checkpoint of TensorFlow's first format \(V1\)"):
        read_weights(CHECKPOINTS / "first_format")
