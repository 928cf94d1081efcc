import logging

import pytest
import torch
from torch import nn

from clara_compat.engine.loss_variables import load_loss_into


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


def test_a_checkpoint_of_tensorflow_is_not_read(tmp_path, told):
    load_loss_into(Weighted(), tmp_path / "model.ckpt.index")
    assert "0 of its 2 tensors" in told.text
