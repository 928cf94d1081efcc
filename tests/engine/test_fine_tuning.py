"""Weights of a file go into a network as far as they fit."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from torch import nn

from clara_compat.engine.fine_tuning import load_into
from clara_compat.engine.matching import match_weights
from clara_compat.errors import ClaraError


class Net(nn.Module):
    def __init__(self, classes: int, *, deep: bool = False, batch_norm: bool = False) -> None:
        super().__init__()
        self.body = nn.Linear(3, 4)
        if deep:
            self.deep = nn.Linear(4, 4)
        if batch_norm:
            self.norm = nn.BatchNorm1d(4)
        self.head = nn.Linear(4, classes)


def saved(tmp_path, network, name="model.pt"):
    torch.save(network if isinstance(network, dict) else network.state_dict(), tmp_path / name)
    return str(tmp_path / name)


def test_all_weights(tmp_path, caplog):
    earlier, network = Net(2, batch_norm=True), Net(2, batch_norm=True)
    earlier.norm.running_mean.fill_(3)
    path = saved(tmp_path, earlier)
    with caplog.at_level(logging.INFO, "clara_compat"):
        assert load_into(network, path) is network
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in earlier.state_dict().items())
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", f"weights of {path}: 9 of the network's 9 tensors are taken over")
    ]


def test_a_head_for_other_classes_keeps_its_new_weights(tmp_path, caplog):
    earlier, network = Net(2, deep=True), Net(3, batch_norm=True)
    head = network.head.weight.detach().clone()
    path = saved(tmp_path, earlier)
    with caplog.at_level(logging.INFO, "clara_compat"):
        load_into(network, path)
    assert torch.equal(network.body.weight, earlier.body.weight)
    assert torch.equal(network.head.weight, head)
    assert all(record.levelname == "WARNING" for record in caplog.records)
    assert [record.getMessage() for record in caplog.records] == [
        f"weights of {path}: 2 of the network's 9 tensors are taken over, the others keep their new weights:",
        "  norm.weight: missing in the file",
        "  norm.bias: missing in the file",
        "  norm.running_mean: missing in the file",
        "  norm.running_var: missing in the file",
        "  norm.num_batches_tracked: missing in the file",
        "  head.weight: (2, 4) in the file, (3, 4) in the network",
        "  head.bias: (2) in the file, (3) in the network",
        "  deep.weight: not in the network",
        "  deep.bias: not in the network",
    ]


def test_a_checkpoint_of_parallel_processes_in_another_precision(tmp_path):
    earlier, network = Net(2), Net(2)
    weights = {f"module.{name}": value.half() for name, value in earlier.state_dict().items()}
    load_into(network, saved(tmp_path, {"network": weights, "trainer": {"epoch_length": 2}}, "checkpoint.pt"))
    assert network.body.weight.dtype == torch.float32
    assert torch.equal(network.body.weight, earlier.body.weight.half().float())


def test_many_differences_are_counted():
    match = match_weights({f"w{i}": torch.zeros(1) for i in range(30)} | Net(2).state_dict(), Net(2))
    report = match.report("a.pt")
    assert len(report) == 22
    assert report[-1] == "  ... and 10 more"


def test_nothing_fits(tmp_path):
    network = Net(2, batch_norm=True)
    other = {"conv.weight": torch.zeros(8, 1, 3, 3), "norm.num_batches_tracked": torch.tensor(3)}
    path = saved(tmp_path, other)
    with pytest.raises(
        ClaraError,
        match=r"nothing in '.*model.pt' fits the network: the file holds 2 tensors, the first conv.weight "
        r"\(8, 1, 3, 3\), the network is Net \(9 tensors, the first body.weight \(4, 3\)\); name weights of the same",
    ):
        load_into(network, path)
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/train.json").write_text(json.dumps({"network_def": {"_target_": "a.b.OtherNet"}}))
    with pytest.raises(ClaraError, match=r"the file holds OtherNet \(2 tensors, .* the network is Net \(9 tensors"):
        load_into(network, path)
    for content in ("[", "[" * 100_000):
        (tmp_path / "configs/train.json").write_text(content)
        with pytest.raises(ClaraError, match=r"the file holds 2 tensors"):
            load_into(network, path)
