import logging
from pathlib import Path

import pytest
import torch
from torch import nn

from clara_compat.engine.loss_variables import load_loss_into
from clara_compat.tensorflow.checkpoint.reader import open_checkpoint


class Weighted(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(2))
        self.shift = nn.Parameter(torch.zeros(3))


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, "clara_compat")
    return caplog


@pytest.mark.parametrize(
    ("kept", "taken"),
    [
        ({"scale": torch.ones(2), "shift": torch.ones(3)}, 2),
        ({"scale": torch.ones(2), "shift": torch.ones(4)}, 1),
        ({"scale": 1.0}, 0),
        (None, 0),
    ],
)
def test_variables_of_a_checkpoint(tmp_path, told, kept, taken):
    file = tmp_path / "checkpoint.pt"
    torch.save({"network": {}, **({} if kept is None else {"loss": kept})}, file)
    loss = load_loss_into(Weighted(), file)
    assert [float(one.sum()) for one in loss.parameters()] == [2.0 * (taken > 0), 3.0 * (taken > 1)]
    [record] = told.records
    assert record.getMessage() == f"variables of the loss in {file}: {taken} of its 2 tensors are taken over"
    assert (record.levelno == logging.WARNING) == (taken < 2)


def test_a_loss_without_variables_reads_nothing(tmp_path, told):
    loss = nn.MSELoss()
    assert load_loss_into(loss, tmp_path / "nowhere.pt") is loss
    assert not told.records


CHECKPOINT = Path(__file__).parents[1] / "references" / "checkpoints_of_components" / "custom_network" / "model.ckpt"
KERNEL, BIAS = "CustomNetwork/conv3d_6/kernel", "CustomNetwork/conv3d_6/bias"


class OfTensorFlow(nn.Module):
    """Has variables by names that the checkpoint holds, one of another shape, and one that it does not hold."""

    def __init__(self):
        super().__init__()
        shapes = {"kernel": (1, 1, 1, 4, 2), "bias": (2,), "wide": (9,), "own": ()}
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.full(shape, 7.0)))

    def tensorflow_names(self):
        return {"kernel": KERNEL, "bias": BIAS, "wide": "CustomNetwork/conv3d/bias", "own": "loss/scale"}


class Network(nn.Module):
    def tensorflow_names(self):
        return {"bias": BIAS}


def test_variables_of_a_tensorflow_checkpoint(tmp_path, told):
    index = f"{CHECKPOINT}.index"
    with_network = load_loss_into(OfTensorFlow(), index, Network()).state_dict()
    alone = load_loss_into(OfTensorFlow(), index).state_dict()
    checkpoint = open_checkpoint(CHECKPOINT)
    kernel, bias = (torch.from_numpy(checkpoint.read(name)) for name in (KERNEL, BIAS))
    assert torch.equal(with_network["kernel"], kernel)
    assert torch.equal(alone["bias"], bias)
    assert with_network["bias"].tolist() == [7, 7]  # that one is the network's
    assert set(with_network["wide"].tolist()) == {7}
    assert with_network["own"] == 7
    assert [record.getMessage() for record in told.records] == [
        f"variables of the loss in {index}: {count} of its 4 tensors are taken over" for count in (1, 2)
    ]
    torch.save({KERNEL: kernel}, tmp_path / "converted.pt")
    converted = load_loss_into(OfTensorFlow(), tmp_path / "converted.pt", Network()).state_dict()
    assert torch.equal(converted["kernel"], kernel)


def test_a_loss_of_torch_has_none_there(told):
    load_loss_into(Weighted(), f"{CHECKPOINT}.index")
    assert "0 of its 2 tensors" in told.text
