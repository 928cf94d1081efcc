"""User components on the facade against the same files on real TensorFlow.

The arrays come from ``tests/references/make_tensorflow_components.py``. Criteria, on the largest difference of an
array: outputs 1e-5; losses 1e-6; moving statistics 1e-6; gradients 1e-6 where the largest value is below 1, else 1e-6
of the largest value, and of losses, whose gradients are small, not more than 1e-4 of it either. TensorFlow with and
without oneDNN, where it runs without, differs from itself by up to half of that.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow import loader
from clara_compat.tensorflow.loss import LegacyLoss
from clara_compat.tensorflow.network import LegacyNetwork

REFERENCES = Path(__file__).parents[1] / "references"
COMPONENTS = Path(__file__).with_name("components")
CASES = json.loads((REFERENCES / "tensorflow_components.json").read_text())["cases"]
MODELS = [name for name, case in CASES.items() if case["kind"] == "model"]
LOSSES = [name for name, case in CASES.items() if case["kind"] == "loss"]
TRAINED = [name for name in MODELS if "training" in CASES[name]["modes"]]


@pytest.fixture(scope="module")
def archive():
    with np.load(REFERENCES / "tensorflow_components.npz") as found:
        yield found


@pytest.fixture
def reference(archive, request):
    """The arrays of one case."""
    name = request.node.callspec.params["name"]
    return {key.partition("/")[2]: archive[key] for key in archive.files if key.startswith(f"{name}/")}


@pytest.fixture
def module(reference, name):
    """The component of one case in its wrapper, with the variables of the reference."""
    case = CASES[name]
    loader.use([str(COMPONENTS)])
    user, cls = loader.component(case["component"], case["args"]), case["component"].rpartition(".")[2]
    prop = DataProperty(**case["data_property"])
    if case["kind"] == "model":
        found = LegacyNetwork(user, cls, prop, reference["image"].shape[2:])
    else:
        found = LegacyLoss(user, cls, prop, reference["predictions"].shape)
    with torch.no_grad():
        for variable, tensor in found.variables.items():
            value = reference.get(f"variable/{variable}")
            if value is not None:
                tensor.copy_(torch.from_numpy(value))
    return found


def described(module):
    return [
        (name, list(tensor.shape), isinstance(tensor, torch.nn.Parameter)) for name, tensor in module.variables.items()
    ]


def wanted(name):
    return [(each["name"], each["shape"], each["trainable"]) for each in CASES[name]["variables"]]


def called(module, reference, *, training=False, image=None):
    module.train(training)
    module.step(label=torch.from_numpy(reference["label"]))
    return module(torch.from_numpy(reference["image"]) if image is None else image)


def assert_near(got, expected, tolerance, what):
    got = got.detach().numpy()
    assert got.shape == expected.shape, what
    assert np.abs(got.astype(np.float64) - expected).max(initial=0) <= tolerance, what


def assert_gradients_near(module, main, reference, relative=np.inf):
    gradients = {"gradient": main.grad}
    gradients |= {f"gradient/{name}": tensor.grad for name, tensor in module.variables.items()}
    for key, got in gradients.items():
        expected = reference.get(key)
        if expected is None:
            assert got is None or not got.any(), key
            continue
        peak = np.abs(expected).max()
        tolerance = min(1e-6 * max(1, peak), relative * peak) if peak else 1e-6
        assert_near(torch.zeros(expected.shape) if got is None else got, expected, tolerance, key)


@pytest.mark.parametrize("name", CASES)
def test_variables_have_tensorflows_names_order_shapes_and_flags(module, name):
    assert described(module) == wanted(name)


@pytest.mark.parametrize("mode", ["inference", "training"])
@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_tensorflows(module, reference, name, mode):
    if mode not in CASES[name]["modes"]:
        pytest.skip("draws random numbers in training")
    found = called(module, reference, training=mode == "training")
    assert_near(found, reference[mode], 1e-5, mode)


@pytest.mark.parametrize("name", MODELS)
def test_extra_loss_and_gradients_are_tensorflows(module, reference, name):
    """Ours in double precision, so that the rounding is TensorFlow's alone."""
    module.double()
    image = torch.from_numpy(reference["image"]).double().requires_grad_()
    found = called(module, reference, training=CASES[name]["modes"][-1] == "training", image=image)
    extra = module.extra_loss()
    assert_near(extra, reference["extra"], 1e-6, "extra loss")
    ((found * torch.from_numpy(reference["noise"])).sum() + extra).backward()
    assert_gradients_near(module, image, reference)


@pytest.mark.parametrize("name", TRAINED)
def test_moving_statistics_after_a_training_step_are_tensorflows(module, reference, name):
    called(module, reference, training=True)
    module.extra_loss()
    for variable, _, trainable in wanted(name):
        if not trainable:
            assert_near(module.variables[variable], reference[f"after/{variable}"], 1e-6, variable)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradients_are_tensorflows(module, reference, name):
    predictions = torch.from_numpy(reference["predictions"]).requires_grad_()
    value = module(predictions, torch.from_numpy(reference["label"]))
    assert_near(value, reference["value"], 1e-6, "loss")
    value.backward()
    assert_gradients_near(module, predictions, reference, relative=1e-4)
