"""Every network of the catalogue leaves in files that give what it gives."""

from __future__ import annotations

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from clara_compat.engine.export.onnx_file import onnx_file
from clara_compat.engine.export.probe import probe
from clara_compat.engine.export.torchscript import torchscript_file
from clara_compat.engine.model_files import exported_network

MAGNIFYING = ("ClaraAHNet",)
"""Networks that, untrained, magnify rounding: in float32 they are up to 1e-3 from themselves in double precision, so no
file can be held to 1e-4 of them. Their files may be no further from double precision than twice the network itself."""


def _check(network, dims, run):
    """Compare on images that the export has not seen: other numbers, another number of items, unequal sizes."""
    generator = torch.Generator().manual_seed(7)
    exact = copy.deepcopy(network).double()
    for number, size in ((1, (64, 32, 32)), (3, (32, 64, 96))):
        image = torch.rand((number, 2, *size[:dims]), generator=generator)
        with torch.inference_mode():
            expected, found = network(image).numpy(), run(image)
            between = (expected > 0.01) & (expected < 0.99)
            assert between.mean() > 0.05  # not saturated, where everything would agree
            if type(network).__name__ not in MAGNIFYING:
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
                continue
            double = exact(image.double()).numpy()
        assert abs(found - double).max() <= max(1e-4, 2 * abs(expected - double).max())


def test_torchscript(network, dims, tmp_path):
    exported = torchscript_file(network, probe(network, 2, dims, None))
    (tmp_path / "model.ts").write_bytes(exported.content)
    loaded = exported_network(tmp_path / "model.ts", "cpu")
    assert exported.any_size
    assert exported.difference <= 1e-4
    _check(network, dims, lambda image: loaded(image).numpy())


def test_onnx(network, dims):
    exported = onnx_file(network, probe(network, 2, dims, None), "IMAGE", "PREDICTIONS")
    assert exported.any_size
    assert exported.difference <= 1e-4 or type(network).__name__ in MAGNIFYING
    model = onnx.load_from_string(exported.content)
    onnx.checker.check_model(model, full_check=True)
    assert [tensor.name for tensor in model.graph.input] == ["IMAGE"]
    assert [tensor.name for tensor in model.graph.output] == ["PREDICTIONS"]
    axes = model.graph.input[0].type.tensor_type.shape.dim
    assert axes[1].dim_value == 2
    assert all(axes[axis].dim_param for axis in (0, *range(2, 2 + dims)))
    assert b"site-packages" not in exported.content
    session = onnxruntime.InferenceSession(exported.content)
    _check(network, dims, lambda image: session.run(None, {"IMAGE": image.numpy()})[0])


def test_onnxs_own_evaluator_agrees(monkeypatch: pytest.MonkeyPatch):
    """It stands in where ONNX Runtime is missing."""
    from clara_compat.engine.export import onnx_file as module
    from clara_compat.engine.networks.unet import ClaraUNet

    used = []
    run = ReferenceEvaluator.run
    monkeypatch.setattr(ReferenceEvaluator, "run", lambda *given: used.append(1) or run(*given))
    find_spec = module.find_spec
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "onnxruntime" else find_spec(name))
    network = ClaraUNet(2, 1, 2, encoder_channels=[2, 2], decoder_channels=[2, 2, 2, 2]).eval()
    assert onnx_file(network, probe(network, 1, 2, None), "IMAGE", "PREDICTIONS").difference <= 1e-4
    assert used
