"""Functional models, Sequential, and subclasses of Model."""

import numpy as np
import pytest
import torch

X = torch.rand(3, 6)


@pytest.fixture
def functional(tf, kl):
    """A model with a layer used twice, an operation that is no layer, and normalisation."""

    def make(shape=(6,), **options):
        i = tf.keras.Input(shape=shape, **options)
        shared = kl.Dense(6, activation="tanh", name="shared")
        x = shared(shared(i))
        x = kl.BatchNormalization(name="norm")(x * 2.0 + 1.0)
        x = kl.Lambda(lambda v: v[:, ::1])(kl.concatenate([x, i]))
        return tf.keras.Model(inputs=i, outputs=[x, kl.Dense(2, name="head")(x)], name="m")

    return make


def by_hand(store, x, training):
    w, b = (store[f"shared/{part}"].detach().numpy().astype(np.float64) for part in ("kernel", "bias"))
    x = x.detach().numpy().astype(np.float64)
    y = np.tanh(np.tanh(x @ w + b) @ w + b) * 2 + 1
    mean, variance = (y.mean(0), y.var(0)) if training else (0.0, 1.0)
    y = (y - mean) / np.sqrt(variance + 1e-3)
    y = np.concatenate([y, x], axis=1)
    return y, y @ store["head/kernel"].detach().numpy() + store["head/bias"].detach().numpy()


@pytest.mark.parametrize("training", [False, True])
def test_a_functional_model_is_called_on_other_tensors(passes, functional, training):
    passes.build(lambda: functional()(X))
    assert list(passes.store)[:4] == ["shared/kernel", "shared/bias", "norm/gamma", "norm/beta"]
    with passes.going(training=training) as graph:
        graph.input_shape = tuple(X.shape)
        model = functional()
        x = X.clone().requires_grad_()
        found = model(x, training=training)
        assert not model.outputs[0].requires_grad
        assert len(model.updates) == (2 if training else 0)
    assert all(type(one) is torch.Tensor for one in found)
    for got, wanted in zip(found, by_hand(passes.store, X, training), strict=True):
        np.testing.assert_allclose(got.detach().numpy(), wanted, atol=1e-5)
    sum(one.sum() for one in found).backward()
    assert x.grad.abs().sum() > 0
    assert passes.store["shared/kernel"].grad is not None


def test_what_a_functional_model_holds(passes, functional):
    def run():
        model = functional()
        lines = []
        model.summary(print_fn=lines.append)
        assert [layer.name for layer in model.layers] == ["shared", "norm", "concatenate", "lambda", "head"]
        assert model.get_layer("norm") is model.layers[1]
        assert model.get_layer(index=-1).name == "head"
        assert len(model.weights) == 8
        assert lines[1] == "shared (Dense): 42"
        assert lines[-1] == f"Total params: {42 + 24 + 26}"
        assert model.input.shape == (1, 6)
        assert model.output[1] is model.get_layer("head").output
        assert model.get_layer("head").input_shape == (1, 12)

    passes.build(run)


def test_sizes_of_none_are_those_of_the_models_input(passes, tf, kl):
    def run():
        i = tf.keras.Input(shape=(None, None, 3))
        y = kl.Conv2D(2, 3)(i)
        assert i.shape == (2, 9, 7, 3)
        return tf.keras.Model(i, kl.GlobalMaxPooling2D()(y))(torch.rand(2, 9, 7, 3))

    with passes.going(building=True) as graph, torch.no_grad():
        graph.input_shape = (2, 9, 7, 3)
        assert run().shape == (2, 2)


def test_a_model_around_a_tensor_is_there_already(passes, tf, kl, functional):
    calls = []

    class Counted(kl.Dense):
        def call(self, inputs):
            calls.append(1)
            return super().call(inputs)

    def run():
        i = tf.keras.Input(tensor=X)
        model = tf.keras.Model(i, Counted(2)(i))
        assert model(X) is model.output
        assert torch.equal(model(i), model.output)
        assert len(calls) == 1
        other = model(X + 1.0)
        assert len(calls) == 2
        return model.output, other

    first, second = passes.build(run)
    kernel = passes.store["counted/kernel"]
    torch.testing.assert_close(second - first, kernel.sum(0).expand(3, 2))


def test_identity_layers_do_not_confuse_the_record(passes, tf, kl):
    def run():
        i = tf.keras.Input(tensor=X)
        model = tf.keras.Model(i, kl.Dropout(0.5)(kl.Activation("linear")(i)))
        return model(X + 1.0)

    torch.testing.assert_close(passes.build(run), X + 1.0)


def test_a_model_inside_a_model(passes, tf, kl):
    def run(x):
        i = tf.keras.Input((6,))
        inner = tf.keras.Model(i, kl.Dense(6)(i), name="inner")
        j = tf.keras.Input((6,))
        outer = tf.keras.Model([j], [inner(inner(j))])
        assert outer.layers == [inner]
        return outer(x)

    passes.build(lambda: run(X))
    w = passes.store["dense/kernel"]
    torch.testing.assert_close(passes.run(lambda: run(X)), X @ w @ w)


def test_sequential(passes, tf, kl):
    def run(made):
        model = tf.keras.Sequential([kl.Dense(4), kl.Dropout(0.9)])
        model.add(kl.Dense(2))
        made.append(model)
        return model(X)

    made = []
    passes.build(lambda: run(made))
    assert [type(layer).__name__ for layer in made[0].layers] == ["Dense", "Dropout", "Dense"]
    made[0].pop()
    assert len(made[0].layers) == 2


def test_a_sequential_with_a_shape_made_before_there_is_a_graph(passes, tf, kl):
    model = tf.keras.Sequential([kl.InputLayer((6,)), kl.Dense(2, name="a"), kl.Dense(2, name="b")])

    def run():
        with tf.variable_scope("S"):
            return model(X)

    passes.build(run)
    assert list(passes.store) == ["a/kernel", "a/bias", "b/kernel", "b/bias"]
    assert torch.equal(passes.run(run), passes.run(run))


def test_a_functional_model_is_traced(passes, functional):
    passes.build(lambda: functional()(X))

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.store = passes.store

        def forward(self, x):
            with passes.going() as graph:
                graph.input_shape = tuple(x.shape)
                return functional()(x)[1]

    traced = torch.jit.trace(Net(), X)
    y = torch.rand(3, 6)
    torch.testing.assert_close(traced(y), Net()(y))
