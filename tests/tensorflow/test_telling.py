"""What user code prints: tensors as TensorFlow 1 shows them, once."""

from __future__ import annotations

import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.loader import component
from clara_compat.tensorflow.network import LegacyNetwork
from clara_compat.tensorflow.store import VariableStore

TENSOR = 'Tensor("Tensor:0", shape=(2, 3), dtype=float32)'
VARIABLE = "<tf.Variable 'w:0' shape=(2,) dtype=float32_ref>"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("str(x)", TENSOR),
        ("repr(x)", TENSOR),
        ("'%s' % x", TENSOR),
        ("'%s, %d' % (x, 2)", f"{TENSOR}, 2"),
        ("'{} {n}'.format(x, n=w)", f"{TENSOR} {VARIABLE}"),
        ("'{0.shape[1]}'.format(x)", "3"),
        ("f'{x}'", TENSOR),
        ("f'{x!r:>4}'", TENSOR),
        ("f'{[w, 1]}'", f"[{VARIABLE}, 1]"),
        ("str({'a': (x,)})", f"{{'a': ({TENSOR},)}}"),
        ("str(tf.nn.relu(x, name='up'))", TENSOR.replace('"Tensor:', '"up:')),
        ("str(tf.nn.moments(x, [0])[1])", 'Tensor("moments/Squeeze_1:0", shape=(3,), dtype=float32)'),
        ("'%.2f' % x[0, 1]", "1.00"),
        ("'%d' % x[0, 1]", "1"),
        ("'{:.2f}'.format(x[0, 1])", "1.00"),
        ("'%s' % (3,) + str(2.5)", "32.5"),
        ("'{:>4}'.format('a')", "   a"),
    ],
)
def test_a_tensor_in_a_text_is_tensorflows_line(user_module, expression, text):
    head = "import tensorflow as tf\ndef f(x):\n    w = tf.get_variable('w', [2])\n"
    module = user_module(f"{head}    return {expression}")
    with entered(Graph(VariableStore(), training=True, building=True)):
        assert module.f(torch.arange(6.0).reshape(2, 3)) == text


def test_outside_of_a_component_a_tensor_has_values(user_module):
    module = user_module("import tensorflow as tf\ndef f(x):\n    print(x, end='!')\n    return str(x), tf")
    assert module.f(torch.tensor(1.0))[0] == "tensor(1.)"


SOURCE = """
import numpy as np
import tensorflow as tf
from ai4med.components.models.model import Model
def look(array):
    print('array', array.shape, '%.1f' % array.max())
    return array
class Net(Model):
    def get_predictions(self, x, training, ctx):
        print('image', x)
        x = x * tf.get_variable('w', [])
        return x + tf.py_func(look, [tf.zeros_like(x)], tf.float32)
    def get_loss(self):
        print('loss')
        return 0.0
"""


def test_a_component_prints_while_it_is_first_built_and_its_python_functions_in_every_step(user_folder, capsys):
    user_folder(mine=SOURCE)
    net = LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [2, 2, 2])
    first = ['image Tensor("Tensor:0", shape=(1, 1, 2, 2, 2), dtype=float32)', "array (1, 1, 2, 2, 2) 0.0", "loss"]
    assert capsys.readouterr().out.splitlines() == [*first, first[1]]
    net(torch.zeros(1, 1, 2, 2, 2))
    net.extra_loss()
    assert capsys.readouterr().out.splitlines() == [first[1]]
