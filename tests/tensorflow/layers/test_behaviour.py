"""Training, updates, losses and the life of a layer over passes."""

import copy
import textwrap

import numpy as np
import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow import loader
from clara_compat.tensorflow.network import LegacyNetwork

X = torch.rand(4, 6)
IMPORTS = """
import tensorflow as tf
from tensorflow.keras import layers as KL
from ai4med.components.models.model import Model
"""


def network(tmp_path, source, shape=(8, 8)):
    (tmp_path / "mine.py").write_text(IMPORTS + textwrap.dedent(source))
    loader.use([str(tmp_path)])
    prop = DataProperty("segmentation", "channels_last", len(shape), 1, 1)
    return LegacyNetwork(loader.component("mine.Net", {}), "Net", prop, shape)


@pytest.fixture
def spy(kl):
    """A layer that remembers what ``training`` it was called with."""

    class Spy(kl.Layer):
        def __init__(self, seen, **kwargs):
            super().__init__(**kwargs)
            self.seen = seen

        def call(self, inputs, training=None):
            self.seen.append(training)
            return inputs

    return Spy


def test_training_reaches_inner_layers(passes, tf, kl, spy):
    class Outer(kl.Layer):
        def call(self, inputs, training=None):
            spy(seen)(inputs)
            return spy(seen)(inputs, training=False)

    class Blind(kl.Layer):
        def call(self, inputs):
            return spy(seen)(inputs)

    seen = []

    def run():
        Outer()(X)
        Outer()(X, training=True)
        Outer()(X, True)
        Blind()(X, training=True)
        tf.keras.Sequential([spy(seen)])(X, training=True)

    passes.build(run)
    assert seen == [None, False, True, False, True, False, True, True]
    seen.clear()
    with passes.going() as graph:
        graph.learning_phase = True
        spy(seen)(X)
        spy(seen)(X, training=False)
    assert seen == [True, False]


@pytest.mark.parametrize(
    ("name", "options", "shape", "per_channel"),
    [
        ("Dropout", {}, (4, 50, 40), False),
        ("Dropout", {"noise_shape": (None, 1, None)}, (4, 50, 40), True),
        ("SpatialDropout1D", {}, (8, 20, 60), True),
        ("SpatialDropout2D", {}, (8, 6, 5, 60), True),
        ("SpatialDropout3D", {"data_format": "channels_first"}, (8, 60, 4, 3, 5), True),
    ],
)
def test_dropout_keeps_the_mean_and_drops_what_it_says(passes, kl, name, options, shape, per_channel):
    torch.manual_seed(0)
    x = torch.ones(shape)
    y = passes.build(lambda: getattr(kl, name)(0.25, **options)(x, training=True))
    values = {round(float(one), 4) for one in y.unique()}
    assert values == {0.0, round(1 / 0.75, 4)}
    assert abs(float(y.mean()) - 1.0) < 0.1
    axes = list(range(2, len(shape))) if "data_format" in options else list(range(1, len(shape) - 1))
    assert bool((y.amax(axes) == y.amin(axes)).all()) == per_channel
    assert torch.equal(passes.build(lambda: getattr(kl, name)(0.25, **options)(x)), x)


def test_noise_has_the_deviation_it_says(passes, kl):
    torch.manual_seed(0)
    x = torch.full((200, 200), 2.0)
    noise = passes.build(lambda: kl.GaussianNoise(0.5)(x, training=True) - x)
    assert abs(float(noise.std()) - 0.5) < 0.01
    factor = passes.build(lambda: kl.GaussianDropout(0.2)(x, training=True) / x)
    assert abs(float(factor.mean()) - 1.0) < 0.01
    assert abs(float(factor.std()) - 0.5) < 0.01
    alpha = passes.build(lambda: kl.AlphaDropout(0.3)(torch.randn(500, 500), training=True))
    assert abs(float(alpha.mean())) < 0.02
    assert abs(float(alpha.std()) - 1.0) < 0.02


def test_losses_of_keras_stay_in_the_layer_and_those_of_tf_layers_are_collected(passes, tf, kl):
    def run():
        penalty = tf.keras.regularizers.l2(0.5)
        keras = kl.Dense(2, kernel_regularizer=penalty, activity_regularizer=tf.keras.regularizers.l1(1.0), name="k")
        keras(X)
        tf.layers.dense(X, 2, kernel_regularizer=penalty, name="t")
        tf.layers.dense(X, 2, kernel_regularizer=penalty, name="t", reuse=True)
        return keras.losses, tf.get_collection("regularization_losses")

    of_keras, collected = passes.build(run)
    kernel = passes.store["k/kernel"]
    np.testing.assert_allclose(of_keras[0], 0.5 * float(kernel.square().sum()), rtol=1e-6)
    np.testing.assert_allclose(of_keras[1], float((X @ kernel).abs().sum()) / 4, rtol=1e-6)
    assert len(collected) == 1
    np.testing.assert_allclose(collected[0], 0.5 * float(passes.store["t/kernel"].square().sum()), rtol=1e-6)


def test_weights_are_found_in_inner_layers(passes, tf, kl):
    class Block(kl.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.parts = {"a": [kl.Dense(2)], "b": kl.BatchNormalization()}

        def call(self, inputs):
            return self.parts["b"](self.parts["a"][0](inputs))

    def run():
        block = Block()
        block(X)
        assert len(block.trainable_weights) == 4
        assert block.count_params() == 14 + 8
        block.set_weights([np.full(one.shape, 2.0) for one in block.weights])
        block.trainable = False
        assert block.trainable_weights == []
        assert len(block.non_trainable_weights) == 6
        assert not block.parts["b"].trainable
        return block.get_weights()

    assert all((one == 2.0).all() for one in passes.build(run))


def test_user_losses_and_updates(passes, tf, kl):
    class Counter(kl.Layer):
        def build(self, input_shape):
            self.count = self.add_weight(name="count", shape=(), initializer="zeros", trainable=False)
            self.built = True

        def call(self, inputs):
            self.add_update(lambda: self.count.add_(1.0))
            self.add_loss(tf.reduce_sum(inputs))
            return inputs

    passes.build(lambda: Counter()(X))
    with passes.going():
        layer = Counter()
        layer(X)
        assert float(passes.store["counter/count"]) == 0
        assert len(layer.updates) == 1
        assert layer.losses == [pytest.approx(float(X.sum()))]
    assert float(passes.store["counter/count"]) == 1


def test_layers_of_a_component_begin_every_pass_as_after_its_constructor(tmp_path):
    net = network(
        tmp_path,
        """
        class Cached(KL.Layer):
            def __init__(self, **kw):
                super(Cached, self).__init__(**kw)
                self.conv = None
                self.calls = []

            def call(self, x):
                if self.conv is None:
                    self.conv = KL.Conv2D(2, 3, padding='same')
                self.calls.append(1)
                assert len(self.calls) == 1
                return self.conv(x)

        class Net(Model):
            def __init__(self):
                Model.__init__(self)
                self.blocks = [Cached(), KL.Conv2D(2, 1)]
                self.late = KL.Conv2D(1, 1)

            def get_predictions(self, inputs, is_training, build_ctx=None):
                for block in self.blocks:
                    inputs = block(inputs)
                return self.late(KL.Conv2D(2, 1)(inputs))
        """,
    )
    names = ["cached/conv2d_2", "conv2d", "conv2d_3", "conv2d_1"]
    assert list(net.variables) == [f"{name}/{part}" for name in names for part in ("kernel", "bias")]
    x = torch.rand(2, 1, 8, 8)
    other = copy.deepcopy(net)
    assert torch.equal(net(x), net(x))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
    assert list(other.variables) == list(net.variables)
    assert other(x).abs().sum() > 0 == net(x).abs().sum()


def test_moving_averages_of_a_model_move_when_it_returns_the_updates(tmp_path):
    source = """
        class Net(Model):
            def __init__(self):
                Model.__init__(self)
                self.model = tf.keras.Sequential([KL.Conv2D(2, 1), KL.BatchNormalization(momentum=0.5)])

            def get_predictions(self, inputs, is_training, build_ctx=None):
                return self.model(inputs, training=is_training)

            def get_update_ops(self):
                return self.model.updates
        """
    net = network(tmp_path, source)
    assert net.variables["sequential/batch_normalization/moving_variance"].tolist() == [1.0, 1.0]
    net.train()(torch.rand(2, 1, 8, 8))
    net.extra_loss()
    assert max(net.variables["sequential/batch_normalization/moving_variance"].tolist()) < 1.0
    plain = network(tmp_path, source.replace("return self.model.updates", "return Model.get_update_ops(self)"))
    plain.train()(torch.rand(2, 1, 8, 8))
    plain.extra_loss()
    assert plain.variables["sequential/batch_normalization/moving_variance"].tolist() == [1.0, 1.0]


def test_a_weight_of_the_loss_may_come_from_an_attribute_that_the_call_set(tmp_path):
    net = network(
        tmp_path,
        """
        class Kept(KL.Layer):
            def call(self, x):
                self.seen = tf.reduce_mean(x)
                return x

        class Net(Model):
            def __init__(self):
                Model.__init__(self)
                self.kept = Kept()

            def get_predictions(self, inputs, is_training, build_ctx=None):
                return KL.Conv2D(1, 1)(self.kept(inputs))

            def get_loss(self):
                return self.kept.seen
        """,
    )
    net.train()(torch.full((1, 1, 8, 8), 3.0))
    assert float(net.extra_loss()) == 3.0
