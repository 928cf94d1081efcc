"""slim and contrib.layers on the facade against tf_slim on real TensorFlow.

The arrays come from ``tests/references/make_tensorflow_slim.py``.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.namespace import facade_module
from clara_compat.tensorflow.store import VariableStore

REFERENCES = Path(__file__).parents[2] / "references"
CASES = {case.__name__: case for case in runpy.run_path(str(REFERENCES / "slim_cases.py"))["CASES"]}

tf = facade_module("tensorflow")
slim = facade_module("tf_slim")


@pytest.fixture(scope="module")
def archive():
    with np.load(REFERENCES / "tensorflow_slim.npz") as found:
        yield found


@pytest.fixture
def arrays(archive, name: str) -> dict[str, np.ndarray]:
    return {key.partition("/")[2]: archive[key] for key in archive.files if key.startswith(f"{name}/")}


def run(name: str, store: VariableStore, x: torch.Tensor, training: bool, building: bool = False) -> Any:
    graph = Graph(store, training=training, building=building)
    with entered(graph):
        output = CASES[name](tf, slim, x, training)
        model = [store.name_of(one) for one in slim.get_model_variables()]
        penalties = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    return output, model, penalties


@pytest.fixture
def store(name: str, arrays: dict[str, np.ndarray]) -> VariableStore:
    """The variables of a case, with the values of the reference."""
    made = VariableStore()
    with torch.no_grad():
        run(name, made, torch.from_numpy(arrays["input"]), training=False, building=True)
        run(name, made, torch.from_numpy(arrays["input"]), training=True, building=True)
        for variable in made:
            made[variable].copy_(torch.from_numpy(arrays[f"variable/{variable}"]))
    return made


def close(found: torch.Tensor, wanted: np.ndarray, rtol: float = 1e-5) -> None:
    scale = max(np.abs(wanted).max(initial=0), 0.1)
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=0, atol=rtol * scale)


@pytest.mark.parametrize("name", CASES)
def test_names_and_kinds_of_variables(name: str, arrays: dict[str, np.ndarray], store: VariableStore) -> None:
    assert list(store) == arrays["names"].tolist()
    assert [store.is_trainable(one) for one in store] == arrays["trainable"].tolist()
    for one in store:
        assert store[one].shape == arrays[f"variable/{one}"].shape
    model = run(name, store, torch.from_numpy(arrays["input"]), training=False)[1]
    assert model == [one for one, is_model in zip(store, arrays["model"], strict=True) if is_model]


@pytest.mark.parametrize("name", CASES)
def test_inference(name: str, arrays: dict[str, np.ndarray], store: VariableStore) -> None:
    before = {key: value.clone() for key, value in store.state_dict().items()}
    output, _, penalties = run(name, store, torch.from_numpy(arrays["input"]), training=False)
    close(output, arrays["inference"])
    np.testing.assert_allclose(sorted(float(one.detach()) for one in penalties), arrays["penalties"], rtol=1e-5)
    assert all(torch.equal(value, before[key]) for key, value in store.state_dict().items())


@pytest.mark.parametrize("name", CASES)
def test_a_training_step(name: str, arrays: dict[str, np.ndarray], store: VariableStore) -> None:
    """Ours in double precision, so that the rounding is TensorFlow's alone."""
    store.double()
    x = torch.from_numpy(arrays["input"]).double().requires_grad_()
    output = run(name, store, x, training=True)[0]
    close(output, arrays["training"])
    (output * torch.from_numpy(arrays["noise"]).double()).sum().backward()
    close(x.grad, arrays["gradient"], 5e-5)  # normalising few values divides by small deviations
    for one in store:
        if store.is_trainable(one):
            wanted = arrays.get(f"gradient/{one}")
            gradient = store[one].grad
            close(
                torch.zeros_like(store[one]) if gradient is None else gradient,
                np.zeros(()) if wanted is None else wanted,
                5e-5,
            )
        else:
            close(store[one], arrays[f"after/{one}"])
