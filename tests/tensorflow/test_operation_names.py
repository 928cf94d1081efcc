"""Names of layers after operations, as real TensorFlow 2.21 (``tf.compat.v1``, legacy Keras) gives them."""

from __future__ import annotations

import pytest

from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow.loader import component
from clara_compat.tensorflow.network import LegacyNetwork

CONVOLVED = "tf.nn.conv3d(x, tf.zeros([1, 1, 1, 2, 1]), [1] * 5, 'SAME'"


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (f"{CONVOLVED})\n{{}}KL.Conv3D(2, 1)(x)", ["A/conv3d_1/kernel", "A/conv3d_1/bias"]),
        (f"{CONVOLVED}, name='up')\n{{}}KL.Conv3D(2, 1, name='up')(x)", ["A/up_1/kernel", "A/up_1/bias"]),
        (f"{CONVOLVED}, name='up')\n{{}}KL.Conv3D(2, 1)(x)", ["A/conv3d/kernel", "A/conv3d/bias"]),
        (f"{CONVOLVED})\n{{}}tf.layers.conv3d(x, 2, 1)", ["A/conv3d/kernel", "A/conv3d/bias"]),
        ("tf.nn.relu(x, name='d')\n{}KL.Dense(2, name='d')(x)", ["A/d_1/kernel", "A/d_1/bias"]),
        ("tf.nn.dropout(x, 0.5)\n{}KL.Dense(2)(x)", ["A/dense/kernel", "A/dense/bias"]),
    ],
)
def test_a_name_is_taken_once(user_folder, lines, names):
    body = lines.format(" " * 12)
    user_folder(
        mine=f"""
import tensorflow as tf
from tensorflow.keras import layers as KL
from ai4med.components.models.model import Model
class Net(Model):
    def get_predictions(self, x, training, ctx):
        with tf.variable_scope('A'):
            {body}
            return x * tf.get_variable('own', [])
"""
    )
    net = LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [2, 2, 2])
    assert list(net.variables)[:-1] == names
