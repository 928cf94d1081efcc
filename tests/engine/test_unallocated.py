"""Networks whose weights take no memory."""

from __future__ import annotations

import torch
from torch import nn

from clara_compat.engine.unallocated import unallocated


def test_weights_have_shapes_and_no_memory() -> None:
    with unallocated():
        layer = nn.Linear(10**6, 10**6)
        norm = nn.BatchNorm3d(4)
        table = torch.linspace(0, 1, 3)
    assert layer.weight.shape == (10**6, 10**6)
    assert {one.device.type for one in (layer.weight, norm.weight, norm.running_mean)} == {"meta"}
    assert table.tolist() == [0.0, 0.5, 1.0]
    assert torch.zeros(2).device.type == "cpu"


def test_a_named_device_is_kept() -> None:
    with unallocated():
        assert torch.ones(2, device="cpu").sum() == 2
