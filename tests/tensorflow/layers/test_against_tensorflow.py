"""The layers against arrays and names of real TensorFlow (``tests/references/make_tensorflow_layers.py``)."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

REFERENCES = Path(__file__).parents[2] / "references"
_SPEC = importlib.util.spec_from_file_location("cases", REFERENCES / "tensorflow_layers_cases.py")
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)
VARIABLES = json.loads((REFERENCES / "tensorflow_layers.json").read_text())["variables"]


@pytest.fixture(scope="module")
def arrays():
    with np.load(REFERENCES / "tensorflow_layers.npz") as found:
        return dict(found)


def run(source, tf, x):
    scope = {"tf": tf, "KL": tf.keras.layers, "x": x}
    try:
        code = compile(source, "lines", "eval")
    except SyntaxError:
        return exec(source, scope)
    return eval(code, scope)


def described(store):
    return [[name, list(store[name].shape), store.is_trainable(name)] for name in store]


def load(store):
    with torch.no_grad():
        for name in store:
            store[name].copy_(torch.from_numpy(cases.value(name, tuple(store[name].shape))))


def near(got, expected, tolerance=2e-6):
    got = got.detach().numpy()
    assert got.shape == expected.shape
    scale = max(1.0, np.abs(expected).max(initial=0))
    assert np.abs(got - expected).max(initial=0) <= tolerance * scale


@pytest.mark.parametrize("name", cases.NUMBERS)
def test_outputs_and_gradients(passes, tf, arrays, name):
    source, shape = cases.NUMBERS[name]
    passes.build(lambda: run(source, tf, torch.zeros(shape)))
    assert described(passes.store) == VARIABLES[name]
    load(passes.store)
    x = torch.from_numpy(cases.value(name, shape)).requires_grad_()
    y = passes.run(lambda: run(source, tf, x))
    near(y, arrays[name])
    (y * torch.from_numpy(cases.value(f"{name}/noise", tuple(y.shape)))).sum().backward()
    near(x.grad, arrays[f"{name}/gradient"])
    for variable, parameter in ((one, passes.store[one]) for one in passes.store if passes.store.is_trainable(one)):
        near(parameter.grad, arrays[f"{name}/gradient/{variable}"])


@pytest.mark.parametrize("name", cases.NORMS)
def test_normalising_layers_in_training_and_after(passes, tf, arrays, name):
    source, shape = cases.NORMS[name]
    key = f"norm/{name}"
    passes.build(lambda: run(source, tf, None)(torch.zeros(shape), training=True))
    assert described(passes.store) == VARIABLES[key]
    load(passes.store)
    before = {one: passes.store[one].clone() for one in passes.store}
    x = torch.from_numpy(cases.value(key, shape)).requires_grad_()
    near(passes.run(lambda: run(source, tf, None)(x, training=False)), arrays[f"{key}/still"])
    assert all(torch.equal(passes.store[one], value) for one, value in before.items())
    with passes.going(training=True):
        layer = run(source, tf, None)
        y = layer(x, training=torch.tensor(True))
        if name.startswith("keras"):
            assert all(torch.equal(passes.store[one], value) for one, value in before.items())
        for _ in range(2):  # asked for twice, done once
            assert len(layer.updates) == 2
    near(y, arrays[f"{key}/moving"], 5e-6)
    (y * torch.from_numpy(cases.value(f"{key}/noise", shape))).sum().backward()
    near(x.grad, arrays[f"{key}/gradient"], 1e-5)
    for one in passes.store:
        near(passes.store[one], arrays[f"{key}/after/{one}"])


@pytest.mark.parametrize("name", cases.NAMES)
def test_variables_have_tensorflows_names_in_every_pass(passes, tf, name):
    source, shape = cases.NAMES[name]
    passes.build(lambda: run(source, tf, torch.zeros(shape)))
    assert described(passes.store) == VARIABLES[f"names/{name}"]
    for training in (False, True):
        passes.run(lambda: run(source, tf, torch.ones(shape)), training=training)
    assert described(passes.store) == VARIABLES[f"names/{name}"]
