"""Checkpoints that real TensorFlow wrote for two of the components, loaded by name."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow import loader
from clara_compat.tensorflow.checkpoint.reader import open_checkpoint
from clara_compat.tensorflow.network import LegacyNetwork

REFERENCES = Path(__file__).parents[1] / "references"
CASES = json.loads((REFERENCES / "tensorflow_components.json").read_text())["cases"]


@pytest.mark.parametrize("name", ["custom_network", "layers_unet"])
def test_a_checkpoint_of_tensorflow_gives_its_outputs(name):
    case = CASES[name]
    with np.load(REFERENCES / "tensorflow_components.npz") as archive:
        image, expected = archive[f"{name}/image"], archive[f"{name}/inference"]
    loader.use([str(Path(__file__).with_name("components"))])
    user = loader.component(case["component"], case["args"])
    network = LegacyNetwork(user, name, DataProperty(**case["data_property"]), image.shape[2:]).eval()
    checkpoint = open_checkpoint(REFERENCES / "checkpoints_of_components" / name / "model.ckpt")
    assert set(checkpoint.variables) == set(network.variables)
    with torch.no_grad():
        for variable, tensor in network.variables.items():
            tensor.copy_(torch.from_numpy(checkpoint.read(variable)))
        found = network(torch.from_numpy(image)).numpy()
    assert np.abs(found - expected).max() <= 1e-5
