"""A checkpoint of TensorFlow's in a user's model that runs on the facade."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.engine.fine_tuning import load_into
from clara_compat.engine.model_files import network_with_weights
from clara_compat.errors import ClaraError
from clara_compat.run.weights import convert_weights
from clara_compat.tensorflow.loader import component
from clara_compat.tensorflow.network import LegacyNetwork

SOURCE = """
import numpy as np
import tensorflow as tf
from ai4med.components.models.model import Model

class Dense(Model):
    def __init__(self, outputs=3):
        Model.__init__(self)
        self.outputs = outputs
    def get_predictions(self, x, training, ctx):
        with tf.variable_scope('CustomNetwork/dense'):
            kernel = tf.get_variable('kernel', initializer=np.zeros((2, self.outputs), np.float32))
            bias = tf.get_variable('bias', initializer=np.zeros(self.outputs, np.float32))
        return x * kernel[1, 0] + bias[2]
"""


@pytest.fixture
def make(user_folder):
    def build(**args) -> LegacyNetwork:
        user_folder(mine=SOURCE)
        return LegacyNetwork(component("mine.Dense", args), "Dense", DataProperty(), (4, 4, 4))

    return build


def test_it_loads_by_name(make, checkpoints, expected, caplog):
    with caplog.at_level(logging.INFO, "clara_compat"):
        network = load_into(make(), checkpoints / "network.index")
    assert "network.index: 2 of the network's 2 tensors are taken over" in caplog.text
    assert "CustomNetwork/conv3d/kernel: not in the network" in caplog.text
    for name in ("kernel", "bias"):
        value = network.variables[f"CustomNetwork/dense/{name}"].detach().numpy()
        np.testing.assert_array_equal(value, expected[f"network/CustomNetwork/dense/{name}"])
    image = torch.rand(1, 1, 4, 4, 4)
    kernel, bias = (expected[f"network/CustomNetwork/dense/{name}"] for name in ("kernel", "bias"))
    np.testing.assert_allclose(network(image).detach().numpy(), image.numpy() * kernel[1, 0] + bias[2], rtol=1e-6)


def test_what_was_converted_loads_too(make, checkpoints, tmp_path):
    convert_weights(checkpoints / "network", tmp_path / "weights.pt")
    converted, direct = make(), make()
    network_with_weights(converted, tmp_path / "weights.pt", "cpu")
    network_with_weights(direct, checkpoints / "network.index", "cpu")
    assert converted.state_dict().keys() == direct.state_dict().keys()
    assert all(torch.equal(value, direct.state_dict()[name]) for name, value in converted.state_dict().items())


def test_another_shape_is_told_with_both_names(make, checkpoints):
    message = (
        r"the variable 'CustomNetwork/dense/kernel' of .* \(2, 3\), the network's 'store.Custom.*kernel' is \(2, 5\)"
    )
    with pytest.raises(ClaraError, match=message):
        load_into(make(outputs=5), checkpoints / "network.index")
