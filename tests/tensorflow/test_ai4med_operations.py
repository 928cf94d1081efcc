"""The SDK's helpers for models, against numpy in double precision, and as a user's model imports them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch

from ai4med.operations import activation, bias_add, dropout, initializer, normalization, upsample
from clara_compat.common.data_prop import DataProperty
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.loader import component, use
from clara_compat.tensorflow.namespace import all_symbols
from clara_compat.tensorflow.network import LegacyNetwork
from clara_compat.tensorflow.store import VariableStore

RANDOM = np.random.default_rng(0)
FIRST, LAST = "channels_first", "channels_last"


@pytest.fixture
def graph() -> Iterator[Graph]:
    with torch.no_grad(), entered(Graph(VariableStore(), training=True, building=True)) as found:
        yield found


def arrays(shape: tuple[int, ...]) -> tuple[np.ndarray, dict[str, torch.Tensor]]:
    """A batch with its channels first, and as a tensor in each layout."""
    array = RANDOM.normal(1, 2, shape).astype(np.float32)
    tensor = torch.from_numpy(array)
    return array.astype(np.float64), {FIRST: tensor, LAST: tensor.movedim(1, -1)}


def first(tensor: torch.Tensor, data_format: str) -> np.ndarray:
    return (tensor if data_format == FIRST else tensor.movedim(-1, 1)).numpy()


def test_every_helper_has_its_legacy_path() -> None:
    helpers = {name: one for name, one in all_symbols().items() if name.startswith("ai4med.operations.")}
    assert len(helpers) > 20
    for name, helper in helpers.items():
        module, _, last = name.rpartition(".")
        assert getattr(importlib.import_module(module), last) is helper.value
        assert helper.note.startswith("assumed: ")


@pytest.mark.parametrize("shape", [(2, 6, 5, 4), (2, 6, 3, 4, 5)])
@pytest.mark.parametrize("data_format", [FIRST, LAST])
class TestMaps:
    def test_group_norm(self, graph: Graph, shape: tuple[int, ...], data_format: str) -> None:
        x, tensors = arrays(shape)
        found = normalization.group_norm(tensors[data_format], groups=3, data_format=data_format, scope="norm")
        assert list(graph.store) == ["norm/gamma", "norm/beta"]
        gamma, beta = RANDOM.normal(size=(2, 6))
        graph.store["norm/gamma"].copy_(torch.from_numpy(gamma))
        graph.store["norm/beta"].copy_(torch.from_numpy(beta))
        groups = x.reshape(2, 3, -1)
        normal = (groups - groups.mean(-1, keepdims=True)) / np.sqrt(groups.var(-1, keepdims=True) + 1e-5)
        np.testing.assert_allclose(first(found, data_format), normal.reshape(shape), atol=1e-5)
        with entered(Graph(graph.store, training=False)):
            found = normalization.group_norm(tensors[data_format], 3, data_format, scope="norm")
        spread = [1, 6, *[1] * (len(shape) - 2)]
        wanted = normal.reshape(shape) * gamma.reshape(spread) + beta.reshape(spread)
        np.testing.assert_allclose(first(found, data_format), wanted, atol=1e-5)

    def test_instance_norm_and_small_numbers_of_channels(
        self, graph: Graph, shape: tuple[int, ...], data_format: str
    ) -> None:
        x, tensors = arrays(shape)
        axes = tuple(range(2, len(shape)))
        wanted = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
        found = normalization.instance_norm(tensors[data_format], data_format)
        np.testing.assert_allclose(first(found, data_format), wanted, atol=1e-5)
        found = normalization.group_norm(tensors[data_format], 8, data_format)  # of 6 channels
        np.testing.assert_allclose(first(found, data_format), wanted, atol=1e-5)

    def test_batch_norm(self, shape: tuple[int, ...], data_format: str) -> None:
        x, tensors = arrays(shape)
        store, axes = VariableStore(), (0, *range(2, len(shape)))
        found = {}
        for building, training in ((True, True), (False, True), (False, False)):
            with torch.no_grad(), entered(Graph(store, training=training, building=building)):
                found[training] = normalization.batch_norm(tensors[data_format], training, data_format, 0.75)
        wanted = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3)
        np.testing.assert_allclose(first(found[True], data_format), wanted, atol=1e-5)
        mean = 0.25 * x.mean(axes)
        np.testing.assert_allclose(store["batch_normalization/moving_mean"], mean, atol=1e-6)
        variance = store["batch_normalization/moving_variance"].double().numpy()
        count = x.size / 6 if len(shape) == 4 else np.inf  # for four axes TensorFlow 1 keeps the unbiased one
        np.testing.assert_allclose(variance, 0.75 + 0.25 * x.var(axes) / (1 - 1 / count), rtol=1e-5)
        spread = [1, 6, *[1] * (len(shape) - 2)]
        wanted = (x - mean.reshape(spread)) / np.sqrt(variance.reshape(spread) + 1e-3)
        np.testing.assert_allclose(first(found[False], data_format), wanted, atol=1e-5)

    def test_spatial_dropout(self, shape: tuple[int, ...], data_format: str) -> None:
        torch.manual_seed(0)
        ones = torch.ones(200, 20, *shape[2:])
        x = ones if data_format == FIRST else ones.movedim(1, -1)
        assert dropout.spatial_dropout(x, rate=0.2, training=False, data_format=data_format) is x
        dropped = first(dropout.spatial_dropout(x, 0.2, True, data_format), data_format).reshape(200, 20, -1)
        assert np.unique(dropped).tolist() == [0, 1.25]
        assert (dropped == dropped[..., :1]).all()
        assert (dropped == 0).mean() == pytest.approx(0.2, abs=0.02)
        assert len(np.unique(dropped[:, :, 0], axis=0)) > 100  # images do not share a draw

    def test_upsampling(self, shape: tuple[int, ...], data_format: str) -> None:
        x, tensors = arrays(shape)
        wanted = x
        for axis in range(2, len(shape)):
            size = shape[axis]
            places = (np.arange(2 * size) + 0.5) / 2 - 0.5
            wanted = np.apply_along_axis(lambda line: np.interp(places, np.arange(size), line), axis, wanted)  # noqa: B023
        found = upsample.upsample_linear(tensors[data_format], 2, data_format)
        np.testing.assert_allclose(first(found, data_format), wanted, atol=1e-5)
        found = upsample.upsample_nearest(tensors[data_format], [3, *[1] * (len(shape) - 3)], data_format)
        np.testing.assert_array_equal(first(found, data_format), x.astype(np.float32).repeat(3, axis=2))

    def test_small_layers(self, graph: Graph, shape: tuple[int, ...], data_format: str) -> None:
        x, tensors = arrays(shape)
        found = activation.PRelu(tensors[data_format])
        np.testing.assert_allclose(first(found, data_format), np.where(x > 0, x, 0.25 * x), rtol=1e-6)
        bias_add.bias_add(tensors[data_format], data_format)
        assert list(graph.store) == ["prelu_layer/alpha", "bias"]
        bias = np.arange(6.0)
        graph.store["bias"].copy_(torch.from_numpy(bias))
        with entered(Graph(graph.store, training=False)):
            found = bias_add.bias_add(tensors[data_format], data_format)
        np.testing.assert_allclose(
            first(found, data_format), x + bias.reshape([1, 6, *[1] * (len(shape) - 2)]), rtol=1e-6
        )


def test_initializers_by_name() -> None:
    he = initializer.he_normal(dtype="float32")
    assert type(initializer.get_initializer("he_normal")) is type(he)
    assert type(initializer.get_initializer("Xavier_Uniform")) is initializer.xavier_uniform
    seeded = initializer.get_initializer("he_uniform", seed=3)
    assert torch.equal(seeded([4, 5]), seeded([4, 5]))
    assert initializer.get_initializer("ones", dtype="float64")([2]).dtype == torch.float64
    assert initializer.get_initializer(he) is he
    with pytest.raises(ClaraError, match="the initializer 'zeros' draws nothing, so it takes no seed"):
        initializer.get_initializer("zeros", seed=1)
    with pytest.raises(ClaraError, match="'he_norm' is no initializer of Keras; did you mean 'he_normal'?"):
        initializer.get_initializer("he_norm")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: normalization.group_norm(torch.ones(1, 12, 2, 2)), "12 channels cannot be split into 8 groups"),
        (lambda: normalization.group_norm(torch.ones(1, 2, 2)), "expected a tensor of 4 or 5 axes but got the shape"),
        (
            lambda: dropout.spatial_dropout(torch.ones(1, 2, 2, 2), data_format="NCHW"),
            "data_format is 'NCHW', expected",
        ),
        (lambda: upsample.upsample_linear(torch.ones(1, 2, 2, 2), [2, 2, 2]), "factor is [2, 2, 2]"),
    ],
)
def test_what_cannot_be_is_said(graph: Graph, call: Any, message: str) -> None:
    with pytest.raises(ClaraError) as caught:
        call()
    assert message in str(caught.value)


def test_a_users_model(tmp_path: Path) -> None:
    text = """
    import tensorflow as tf
    from tensorflow.contrib import slim
    from ai4med.components.models.model import Model
    from ai4med.operations import initializer, normalization, dropout, upsample

    class Mine(Model):
        def get_predictions(self, inputs, is_training, build_ctx):
            with tf.variable_scope('Down'), slim.arg_scope([slim.conv3d], data_format='NCDHW', activation_fn=None,
                                                           weights_initializer=initializer.get_initializer('he_normal')):
                net = slim.conv3d(inputs, 8, 3, stride=2)
                net = dropout.spatial_dropout(net, rate=0.5, training=is_training, data_format='channels_first')
                net = normalization.group_norm(net, groups=4)
                net = upsample.upsample_linear(net)
                return slim.softmax(slim.conv3d(net, 2, 1, scope='head'))
    """
    (tmp_path / "mine.py").write_text(dedent(text))
    use([str(tmp_path)])
    torch.manual_seed(0)
    prop = DataProperty(num_channels=1, num_label_channels=1, data_format=FIRST)
    network = LegacyNetwork(component("mine.Mine"), "Mine", prop, (6, 4, 8))
    names = ["Down/Conv/weights", "Down/Conv/biases", "Down/group_norm/gamma", "Down/group_norm/beta"]
    assert list(network.variables) == [*names, "Down/head/weights", "Down/head/biases"]
    image = torch.randn(2, 1, 6, 4, 8)
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))
    assert network(image).shape == (2, 2, 6, 4, 8)
