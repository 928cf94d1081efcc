"""``keras.backend`` beyond mathematics: settings, the learning phase, where predictions come from."""

from __future__ import annotations

import copy
import gc
import weakref

import numpy as np
import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.loader import component, use
from clara_compat.tensorflow.namespace import facade_module
from clara_compat.tensorflow.network import LegacyNetwork
from clara_compat.tensorflow.ops.logits import logits_of
from clara_compat.tensorflow.store import VariableStore

TF = facade_module("tensorflow")
K = facade_module("keras.backend")


@pytest.fixture(autouse=True)
def graph():
    use([])
    with entered(Graph(VariableStore(), training=True, building=True)) as going:
        yield going
    use([])


def test_the_default_layout_is_that_of_the_layers_and_of_every_function():
    image, kernel = torch.zeros(1, 2, 5, 6), torch.zeros(3, 3, 2, 4)
    K.set_image_data_format("channels_first")
    assert K.image_data_format() == "channels_first"
    assert K.conv2d(image, kernel).shape == (1, 4, 3, 4)
    assert K.spatial_2d_padding(image).shape == (1, 2, 7, 8)
    assert TF.keras.layers.Conv2D(4, 3)(image).shape == (1, 4, 3, 4)


def test_the_settings_of_one_folder_of_components_do_not_reach_the_next(tmp_path):
    K.set_image_data_format("channels_first")
    K.set_epsilon(1e-3)
    K.set_floatx("float64")
    use([str(tmp_path)])
    assert (K.image_data_format(), K.epsilon(), K.floatx()) == ("channels_last", 1e-7, "float32")


def test_a_network_keeps_the_settings_of_its_own_run(tmp_path):
    source = """
import keras.backend as K
import tensorflow as tf
from ai4med.components.models.model import Model
K.set_image_data_format('channels_first')
class Net(Model):
    def get_predictions(self, x, training, ctx):
        return tf.keras.layers.Conv3D(2, 1)(x) + K.epsilon()
"""
    (tmp_path / "mine.py").write_text(source)
    use([str(tmp_path)])
    network = LegacyNetwork(component("mine.Net"), "Net", DataProperty(), (4, 4, 4))
    image = torch.rand(1, 1, 4, 4, 4)
    before = network(image)
    use([])
    K.set_epsilon(0.5)
    assert torch.equal(network(image), before)
    assert torch.equal(copy.deepcopy(network)(image), before)


def test_the_small_number_is_what_probabilities_are_clipped_by():
    certain = torch.tensor([[0.0]])
    before = K.binary_crossentropy(torch.ones(1, 1), certain).item()
    K.set_epsilon(0.01)
    assert before == pytest.approx(-np.log(2e-7), rel=1e-6)
    assert K.binary_crossentropy(torch.ones(1, 1), certain).item() == pytest.approx(-np.log(0.02), rel=1e-6)


def test_constants_have_the_default_type():
    assert K.constant([1, 2]).dtype == torch.float32
    K.set_floatx("float64")
    assert K.constant([1, 2]).dtype == K.variable(1).dtype == torch.float64
    assert K.cast_to_floatx(np.ones(2, np.float32)).dtype == np.float64


def test_the_learning_phase_is_off_until_it_is_set(graph):
    x = torch.ones(3)
    assert not K.learning_phase()
    assert K.in_train_phase(x, x * 2).tolist() == [2, 2, 2]
    K.set_learning_phase(1)
    assert K.in_train_phase(x, x * 2).tolist() == [1, 1, 1]
    assert K.in_test_phase(x, x * 2).tolist() == [2, 2, 2]
    with K.learning_phase_scope(0):
        assert not K.learning_phase()
    assert graph.learning_phase is True


def test_a_learning_phase_before_there_is_a_graph_is_refused(user_module):
    source = "from keras import backend as K\ndef f(value):\n    K.set_learning_phase(value)\n"
    module = user_module(source)
    from clara_compat.tensorflow import graph as passes

    stack, passes._running.stack = passes._running.stack, []
    try:
        module.f(0)
        with pytest.raises(ClaraError, match=r"user.py:3: K.set_learning_phase\(1\) has no graph to act on yet"):
            module.f(1)
    finally:
        passes._running.stack = stack


def test_what_is_known_of_a_tensor():
    x = torch.zeros(2, 3, dtype=torch.int32)
    assert K.int_shape(x) == (2, 3)
    assert (K.ndim(x), K.dtype(x), K.count_params(x)) == (2, "int32", 6)
    assert K.is_keras_tensor(x) is K.is_sparse(x) is False
    assert isinstance(K.get_value(x), np.ndarray)
    assert K.get_value(3) == 3
    assert K.backend() == "tensorflow"
    v = K.variable([1.0, 2.0])
    assert [one.tolist() for one in K.batch_get_value([v, v])] == [[1, 2], [1, 2]]


@pytest.mark.parametrize(
    ("kind", "function"), [("sigmoid", TF.nn.sigmoid), ("softmax", TF.nn.softmax), ("sigmoid", K.sigmoid)]
)
def test_the_logits_of_probabilities_are_found_also_behind_a_change_of_layout_and_back(kind, function):
    logits = torch.randn(1, 2, 3, 4, requires_grad=True)
    probabilities = function(logits)
    assert logits_of(kind, probabilities) is logits
    assert logits_of(kind, probabilities.movedim(-1, 1).movedim(1, -1)) is logits
    assert logits_of(kind, probabilities.movedim(-1, 1)) is None
    assert logits_of(kind, probabilities * 1.0) is None
    with torch.no_grad():
        assert logits_of(kind, function(logits).movedim(-1, 1).movedim(1, -1)) is logits


def test_logits_are_forgotten_with_the_probabilities_made_from_them():
    logits = torch.randn(3, 4, requires_grad=True) * 1.0
    seen = weakref.ref(logits)
    probabilities = TF.nn.softmax(logits)
    del logits
    gc.collect()
    assert seen() is not None
    del probabilities
    gc.collect()
    assert seen() is None


def test_only_a_few_probabilities_are_remembered():
    logits = [torch.randn(2) for _ in range(10)]
    found = [TF.sigmoid(one) for one in logits]
    assert [logits_of("sigmoid", one) is not None for one in found] == [False] * 2 + [True] * 8


def test_a_softmax_over_another_axis_hides_its_logits_as_in_tensorflow():
    assert logits_of("softmax", TF.nn.softmax(torch.randn(2, 3, 4), axis=1)) is None
    assert logits_of("softmax", TF.keras.activations.softmax(torch.randn(2, 3, 4))) is None
    assert logits_of("softmax", TF.keras.activations.softmax(torch.randn(2, 3))) is not None


@pytest.mark.parametrize("expression", ["K.dropout(x, 0.25)", "tf.nn.dropout(x, keep_prob=0.75)"])
def test_dropout_keeps_the_mean(expression):
    torch.manual_seed(3)
    found = eval(expression, {"K": K, "tf": TF, "x": torch.ones(40_000)})
    assert found.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert found.mean().item() == pytest.approx(1.0, abs=0.02)


def test_dropout_can_drop_whole_channels():
    found = TF.nn.dropout(torch.ones(8, 16, 5, 5), rate=0.5, noise_shape=[8, 16, 1, 1])
    assert (found.amax((2, 3)) == found.amin((2, 3))).all()
    assert 0 < (found == 0).float().mean() < 1
    assert TF.nn.dropout(torch.ones(3, 4), rate=0.5, noise_shape=[None, 1]).shape == (3, 4)


@pytest.mark.parametrize(
    ("expression", "mean", "deviation", "low", "high"),
    [
        ("tf.random_normal([40000], 1.0, 2.0)", 1.0, 2.0, -9, 11),
        ("tf.truncated_normal([40000], 1.0, 2.0)", 1.0, 2 * 0.8796, -3, 5),
        ("tf.random_uniform([40000], -1, 3)", 1.0, 4 / 12**0.5, -1, 3),
        ("tf.random.uniform([40000], maxval=4, dtype=tf.int32)", 1.5, 1.118, 0, 3),
        ("K.random_normal((40000,), stddev=0.5)", 0.0, 0.5, -4, 4),
        ("K.truncated_normal((40000,))", 0.0, 0.8796, -2, 2),
        ("K.random_uniform((40000,))", 0.5, 1 / 12**0.5, 0, 1),
        ("K.random_binomial((40000,), p=0.25)", 0.25, 0.433, 0, 1),
        ("tf.multinomial(tf.log([[0.25, 0.75]]), 40000)", 0.75, 0.433, 0, 1),
        ("tf.random_shuffle(tf.range(4.0))", 1.5, 1.118, 0, 3),
    ],
)
def test_random_numbers_have_their_distribution_and_follow_torchs_seed(expression, mean, deviation, low, high):
    drawn = []
    for _ in range(2):
        torch.manual_seed(11)
        drawn.append(eval(expression, {"K": K, "tf": TF}))
    found = drawn[0].double()
    torch.testing.assert_close(drawn[0], drawn[1], rtol=0, atol=0)
    assert found.mean().item() == pytest.approx(mean, abs=0.03)
    assert found.std(correction=0).item() == pytest.approx(deviation, rel=0.02)
    assert low <= found.min().item() <= found.max().item() <= high


@pytest.mark.parametrize("name", ["random_flip_left_right", "random_flip_up_down"])
def test_images_are_flipped_half_of_the_time(name):
    images = torch.arange(4.0).reshape(1, 2, 2, 1).repeat(200, 1, 1, 1)
    found = getattr(TF.image, name)(images)
    flipped = (found != images).flatten(1).any(1).float().mean().item()
    assert 0.3 < flipped < 0.7
    assert {tuple(getattr(TF.image, name)(images[0]).flatten().tolist()) for _ in range(30)} == {
        tuple(one.flatten().tolist()) for one in found.unbind()
    }
