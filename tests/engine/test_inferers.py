"""AutocastInferer around MONAI's inferers."""

from __future__ import annotations

import logging

import pytest
import torch
from monai.inferers import SimpleInferer, SlidingWindowInferer

from clara_compat.engine import inferers
from clara_compat.engine.inferers import AutocastInferer, native_bfloat16


class Recorder(torch.nn.Conv3d):
    """A convolution that remembers the type of what it computed."""

    def __init__(self):
        super().__init__(1, 2, 3, padding=1)
        self.types = []

    def forward(self, image):
        out = super().forward(image)
        self.types.append(out.dtype)
        return out


@pytest.fixture(params=[True, False], ids=["bfloat16", "float32"])
def native(request, monkeypatch):
    monkeypatch.setattr(inferers, "native_bfloat16", lambda device: request.param)
    inferers._say_float32.cache_clear()
    return request.param


@pytest.mark.parametrize(
    ("inner", "windows"), [(SimpleInferer(), 1), (SlidingWindowInferer((8, 8, 8), 2, overlap=0.5, mode="gaussian"), 14)]
)
def test_forward_and_gradient(native, inner, windows):
    torch.manual_seed(0)
    network, image = Recorder(), torch.rand(1, 1, 16, 16, 16)
    expected = inner(image, network)
    network.types.clear()
    found = AutocastInferer(inner, "cpu")(image, network)
    assert network.types == [torch.bfloat16 if native else torch.float32] * windows
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=2e-2 if native else 0.0, rtol=0.0)
    assert torch.equal(found, expected) != native
    found.square().mean().backward()
    assert network.weight.grad.dtype == torch.float32
    assert network.weight.grad.abs().max() > 0


def test_other_kinds_of_outputs(native):
    def network(image, factor):
        hidden = torch.nn.functional.conv3d(image, torch.ones(1, 1, 1, 1, 1)) * factor
        return {"a": hidden, "b": [hidden, (hidden, "text")]}

    found = AutocastInferer(SimpleInferer(), "cpu")(torch.rand(1, 1, 2, 2, 2), network, 2.0)
    assert found["a"].dtype == found["b"][0].dtype == found["b"][1][0].dtype == torch.float32
    assert isinstance(found["b"][1], tuple)
    assert found["b"][1][1] == "text"


def test_notice_comes_once(native, caplog):
    with caplog.at_level(logging.INFO, logger="clara_compat"):
        for _ in range(3):
            AutocastInferer(SimpleInferer(), "cpu")
    expected = [] if native else ["use_amp: this cpu has no bfloat16 in hardware, so the network runs in float32"]
    assert caplog.messages == expected


def test_disabled_is_a_pass_through(native, caplog):
    network = Recorder()
    AutocastInferer(SimpleInferer(), "cpu", enabled=False)(torch.rand(1, 1, 4, 4, 4), network)
    assert network.types == [torch.float32]
    assert not caplog.messages


@pytest.mark.parametrize(("avx", "amx", "expected"), [(1, 0, True), (0, 1, True), (0, 0, False), (None, None, False)])
def test_cpu_support(monkeypatch, avx, amx, expected):
    for name, answer in (("_is_avx512_bf16_supported", avx), ("_is_amx_tile_supported", amx)):
        if answer is None:  # an older torch
            monkeypatch.delattr(torch.cpu, name, raising=False)
        else:
            monkeypatch.setattr(torch.cpu, name, lambda answer=answer: bool(answer), raising=False)
    assert native_bfloat16("cpu") is expected


def test_cuda_support_asks_for_hardware(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **question: asked.append(question))
    native_bfloat16("cuda:0")
    assert asked == [{"including_emulation": False}]
    assert native_bfloat16("meta") is False
