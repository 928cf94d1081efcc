"""TensorFlow's functions against real TensorFlow: results, their types, and gradients."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.keras_settings import forget_settings
from clara_compat.tensorflow.namespace import facade_module
from clara_compat.tensorflow.store import VariableStore

REFERENCES = Path(__file__).parents[1] / "references"
CASES = runpy.run_path(str(REFERENCES / "tensorflow_ops_cases.py"))
REFERENCE = np.load(REFERENCES / "tensorflow_ops.npz")
TF = facade_module("tensorflow")

INEXACT = {
    "tf.nn.lrn(image, depth_radius=1, bias=1.5, alpha=0.3, beta=0.6)": 5e-6,
}
"""Expressions with a larger relative tolerance than 2e-6."""


def in_numpy(value: object) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


@pytest.fixture(autouse=True)
def _first_settings():
    forget_settings()
    yield
    forget_settings()


@pytest.mark.parametrize("expression", CASES["EXPRESSIONS"])
def test_a_function_gives_what_tensorflow_gives(expression: str) -> None:
    names = CASES["inputs_of"](expression)
    inputs = {name: torch.tensor(CASES["INPUTS"][name]) for name in names}
    smooth = [tensor.requires_grad_() for tensor in inputs.values() if tensor.is_floating_point()]
    with entered(Graph(VariableStore(), training=True, building=True)):
        found = CASES["flat"](eval(expression, {"tf": TF, "K": TF.keras.backend, "np": np, **inputs}))
        total = sum(
            (one.reshape(-1) * torch.tensor(CASES["weights"](one.numel()))).sum()
            for one in found
            if isinstance(one, torch.Tensor) and one.dtype == torch.float32
        )
        if isinstance(total, torch.Tensor) and total.requires_grad:
            total.backward()
    assert f"{expression}|{len(found) - 1}" in REFERENCE
    assert f"{expression}|{len(found)}" not in REFERENCE
    for number, one in enumerate(found):
        wanted, value = REFERENCE[f"{expression}|{number}"], in_numpy(one)
        assert value.dtype == wanted.dtype
        assert value.shape == wanted.shape
        np.testing.assert_allclose(value, wanted, rtol=INEXACT.get(expression, 2e-6), atol=2e-6)
    for name, tensor in inputs.items():
        if any(tensor is one for one in smooth) and f"{expression}|d {name}" in REFERENCE:
            gradient = np.zeros(tensor.shape, np.float32) if tensor.grad is None else tensor.grad.numpy()
            np.testing.assert_allclose(
                gradient, REFERENCE[f"{expression}|d {name}"], rtol=1e-5, atol=1e-5, err_msg=name
            )
