"""What slim does besides layers: defaults, look-ups, tables, collections, dropout; and what it refuses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.namespace import facade_module
from clara_compat.tensorflow.store import VariableStore

tf = facade_module("tensorflow")
slim = tf.contrib.slim


@pytest.fixture
def graph() -> Iterator[Graph]:
    with torch.no_grad(), entered(Graph(VariableStore(), training=True, building=True)) as found:
        yield found


IMAGE, VOLUME = torch.ones(2, 6, 5, 3), torch.ones(2, 4, 4, 4, 3)


def test_the_modules_hold_the_same_functions() -> None:
    assert tf.contrib.layers.conv2d is slim.conv2d
    assert facade_module("tf_slim").conv3d is slim.conv3d
    assert facade_module("tensorflow.contrib.layers.python.layers").conv2d is slim.conv2d
    for name in ("arg_scope", "add_arg_scope"):
        assert getattr(tf.contrib.framework, name) is getattr(slim, name)
        for module in ("ops", "ops.arg_scope"):
            assert getattr(facade_module(f"tensorflow.contrib.framework.python.{module}"), name) is getattr(slim, name)
    assert slim.convolution3d.__name__ == "convolution3d"


def test_defaults_come_on_top_of_each_other() -> None:
    @slim.add_arg_scope
    def f(a: int, b: int = 1, c: int = 2) -> tuple[int, int, int]:
        return a, b, c

    @slim.add_arg_scope
    def g(b: int = 0) -> int:
        return b

    with slim.arg_scope([f, g], b=5) as outer:
        assert f(0) == (0, 5, 2)
        assert f(0, b=6) == (0, 6, 2)
        with slim.arg_scope([f], c=7):
            assert f(0) == (0, 5, 7)
            assert g() == 5
            with slim.arg_scope(outer):
                assert f(0) == (0, 5, 2)
        with pytest.raises(TypeError, match="multiple values for argument 'b'"):
            f(0, 1)
    assert f(0) == (0, 1, 2)
    assert g() == 0
    with pytest.raises(ZeroDivisionError), slim.arg_scope([g], b=9):
        _ = 1 / 0
    assert g() == 0
    assert slim.has_arg_scope(f)
    assert not slim.has_arg_scope(len)
    assert slim.arg_scoped_arguments(f) == ("b", "c")


def test_variables_are_found_again(graph: Graph) -> None:
    slim.conv2d(IMAGE, 4, 3, scope="one", normalizer_fn=slim.batch_norm)
    with tf.variable_scope("two") as two:
        slim.fully_connected(IMAGE, 2)
        slim.variable("extra", [3], trainable=False)
    tf.get_variable("alone", [2])
    names = slim.get_variable_full_name

    def found(variables: Any) -> list[str]:
        return [names(one) for one in variables]

    one = ["one/weights", "one/BatchNorm/beta", "one/BatchNorm/moving_mean", "one/BatchNorm/moving_variance"]
    dense = ["two/fully_connected/weights", "two/fully_connected/biases"]
    assert found(slim.get_variables()) == [*one, *dense, "two/extra", "alone"]
    assert found(slim.get_model_variables()) == [*one, *dense]
    assert found(slim.get_model_variables("one")) == one
    assert found(slim.get_trainable_variables()) == [*one[:2], *dense, "alone"]
    assert found(slim.get_variables(two)) == [*dense, "two/extra"]
    assert found(slim.get_variables(suffix="weights")) == [one[0], dense[0]]
    assert found(slim.get_variables_by_suffix("beta", "one")) == [one[1]]
    assert found(slim.get_variables_by_name("extra")) == ["two/extra"]
    assert found(slim.get_variables_by_name("alone")) == ["alone"]
    assert found(slim.get_variables_to_restore(["one", "two"], exclude=["one/B", "two/e"])) == [one[0], *dense]
    assert found(slim.get_variables_to_restore(exclude=["two"])) == [*one, "alone"]
    assert found(slim.filter_variables(slim.get_variables(), ["weights", "al"], ["two"])) == [one[0], "alone"]
    assert found(slim.filter_variables(slim.get_variables(), ["weights"], reg_search=False)) == []
    assert names(slim.get_unique_variable("one/weights")) == "one/weights"
    assert slim.get_local_variables() == []
    with pytest.raises(ClaraError, match="there is no variable 'one'"):
        slim.get_unique_variable("one")


def test_variables_and_outputs_go_into_collections(graph: Graph) -> None:
    net = slim.conv2d(IMAGE, 4, 3, scope="a", variables_collections=["mine"], outputs_collections="ends")
    with tf.variable_scope("b"):
        net = slim.separable_conv2d(net, 2, 3, variables_collections={"weights": ["w"]}, outputs_collections=["ends"])
    net = slim.max_pool2d(net, 2, outputs_collections="ends", scope="pool")
    names = slim.get_variable_full_name
    assert [names(one) for one in tf.get_collection("mine")] == ["a/weights", "a/biases"]
    separable = ["b/SeparableConv2d/depthwise_weights", "b/SeparableConv2d/pointwise_weights"]
    assert [names(one) for one in tf.get_collection("w")] == separable
    ends = slim.utils.convert_collection_to_dict("ends")
    assert list(ends) == ["a", "b/SeparableConv2d", "pool"]
    assert ends["pool"] is net
    slim.utils.convert_collection_to_dict("ends", clear_collection=True)
    assert tf.get_collection("ends") == []


def test_the_table_of_variables_is_logged_once(graph: Graph, caplog: pytest.LogCaptureFixture) -> None:
    slim.conv3d(VOLUME, 8, 3)
    with caplog.at_level(logging.INFO):
        counted = slim.model_analyzer.analyze_vars(tf.trainable_variables(), print_info=True)
    assert counted == (27 * 3 * 8 + 8, 4 * (27 * 3 * 8 + 8))
    assert "Conv/weights:0 (float32 3x3x3x3x8) [648, bytes: 2592]" in caplog.text
    assert "Total size of variables: 656" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO), entered(Graph(graph.store, training=True)):
        slim.conv3d(VOLUME, 8, 3)
        assert slim.model_analyzer.analyze_vars(tf.trainable_variables(), print_info=True) == counted
    assert caplog.text == ""


def test_summaries_do_nothing(graph: Graph) -> None:
    assert tf.contrib.layers.summarize_tensors([IMAGE]) is None
    assert slim.summaries.add_scalar_summary(IMAGE, "x") is None


def test_dropout() -> None:
    torch.manual_seed(0)
    ones = torch.ones(64, 40, 10)
    with entered(Graph(VariableStore(), training=True)):
        dropped = slim.dropout(ones, 0.8)
        assert sorted(set(dropped.flatten().tolist())) == [0, 1.25]
        assert float((dropped == 0).float().mean()) == pytest.approx(0.2, abs=0.01)
        assert slim.dropout(ones, 0.8, is_training=False) is ones
        channels = slim.dropout(ones, 0.5, noise_shape=[None, 1, 10])
        assert torch.equal(channels, channels[:, :1].expand_as(channels))
        assert float((channels == 0).float().mean()) == pytest.approx(0.5, abs=0.07)
        with pytest.raises(ClaraError, match=r"noise_shape \[2, 1, 10\] does not fit the shape \[64, 40, 10\]"):
            slim.dropout(ones, noise_shape=[2, 1, 10])


def test_layers_of_a_step_make_no_variables_and_share_the_seed() -> None:
    store = VariableStore()

    def model(graph: Graph) -> torch.Tensor:
        with entered(graph):
            return slim.conv3d(VOLUME, 2, 3, normalizer_fn=slim.batch_norm)

    torch.manual_seed(3)
    model(Graph(store, training=True, building=True))
    values = {name: store[name].clone() for name in store}
    assert torch.equal(values["Conv/BatchNorm/moving_mean"], torch.zeros(2))
    limit = np.sqrt(6 / (27 * 3 + 27 * 2))
    assert float(values["Conv/weights"].detach().abs().max()) <= limit
    model(Graph(store, training=False))  # is_training is slim's own True: it normalises by the batch, and moves nothing
    assert torch.equal(store["Conv/BatchNorm/moving_mean"], torch.zeros(2))
    model(Graph(store, training=True))
    assert not torch.equal(store["Conv/BatchNorm/moving_mean"], torch.zeros(2))
    other = VariableStore()
    torch.manual_seed(3)
    model(Graph(other, training=True, building=True))
    assert all(torch.equal(other[name], values[name]) for name in values)


def test_types_follow_the_inputs(graph: Graph) -> None:
    net = slim.conv2d(IMAGE.double(), 2, 3, normalizer_fn=slim.batch_norm)
    assert net.dtype == torch.float64
    assert {graph.store[name].dtype for name in graph.store} == {torch.float64}
    assert slim.layer_norm(net, scope="n").dtype == torch.float64


@pytest.mark.filterwarnings("ignore")  # a tracer tells of every size that becomes a constant
def test_a_network_is_traced_and_exported() -> None:
    store = VariableStore()

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.store = store

        def forward(self, x: torch.Tensor, building: bool = False) -> torch.Tensor:
            with entered(Graph(store, training=False, building=building)):
                net = slim.conv2d(
                    x, 4, 3, stride=2, normalizer_fn=slim.batch_norm, normalizer_params={"is_training": False}
                )
                net = slim.group_norm(slim.conv2d_transpose(net, 4, 2, stride=2), groups=2)
                net = slim.instance_norm(slim.layer_norm(slim.max_pool2d(net, 2)))
                return slim.fully_connected(slim.flatten(slim.avg_pool2d(net, 3, padding="SAME")), 2)

    network = Network().eval()
    with torch.no_grad():
        network(torch.zeros(1, 7, 6, 3), building=True)
    x = torch.randn(1, 7, 6, 3)
    wanted = network(x)
    torch.testing.assert_close(torch.jit.trace(network, x)(x), wanted)
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), wanted)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: slim.conv2d(VOLUME, 2, 3), "expected a tensor of 4 axes but got the shape [2, 4, 4, 4, 3]"),
        (lambda: slim.convolution(torch.ones(2, 3), 2, 3), "expected a tensor of 3 or 4 or 5 axes"),
        (lambda: slim.conv2d(IMAGE, 2, [3, 3, 3]), "kernel_size is [3, 3, 3], expected one number or 2"),
        (lambda: slim.conv2d(IMAGE, 2, 3, stride=2, rate=2), "cannot have a stride ([2, 2]) and a rate ([2, 2])"),
        (lambda: slim.conv2d(IMAGE, 2, 3, padding="FULL"), "padding is 'FULL', expected 'same' or 'valid'"),
        (lambda: slim.conv3d(VOLUME, 2, 3, data_format="NCDWH"), "data_format is 'NCDWH', expected 'NDHWC' or 'NCDHW'"),
        (lambda: slim.conv2d_transpose(IMAGE, 2, 3, data_format="NDHWC"), "expected 'NHWC' or 'NCHW'"),
        (lambda: slim.max_pool3d(VOLUME, 2, data_format="NHWC"), "expected 'NDHWC' or 'NCDHW'"),
        (lambda: slim.batch_norm(VOLUME, data_format="NDHWC"), "data_format is 'NDHWC', expected 'NHWC' or 'NCHW'"),
        (lambda: slim.batch_norm(VOLUME, renorm=True), "renorm of slim.batch_norm is not provided"),
        (lambda: slim.batch_norm(IMAGE, zero_debias_moving_mean=True), "zero_debias_moving_mean of slim.batch_norm"),
        (lambda: slim.instance_norm(IMAGE, data_format="CN"), "data_format is 'CN', expected 'NHWC' or 'NCHW'"),
        (lambda: slim.bias_add(VOLUME, data_format="NCHW"), "expected a tensor of 4 axes"),
        (lambda: slim.bias_add(VOLUME, data_format="NDHWC"), "data_format is 'NDHWC', expected 'NHWC' or 'NCHW'"),
        (lambda: slim.group_norm(IMAGE), "3 channels cannot be split into 32 groups"),
        (lambda: slim.group_norm(IMAGE, 3, channels_axis=-2), "channels_axis -2 must not be one of reduction_axes"),
        (lambda: slim.group_norm(IMAGE, 3, reduction_axes=[4]), "the axes [4, -1] are not all axes of the inputs"),
        (lambda: slim.layer_norm(IMAGE, begin_norm_axis=4), "begin_norm_axis (4) and begin_params_axis (-1) must be"),
        (lambda: slim.unit_norm(IMAGE, -1), "dim is -1, expected an axis of the inputs"),
        (lambda: slim.fully_connected(torch.ones(3), 2), "needs two axes or more, here the shape is [3]"),
        (lambda: slim.maxout(IMAGE, 2), "3 channels cannot be split into 2 units"),
        (lambda: slim.pool(IMAGE, 2, "MEAN"), "pooling_type is 'MEAN', expected 'MAX' or 'AVG'"),
        (lambda: slim.pool(IMAGE, 2, "MAX", dilation_rate=2), "dilation_rate of slim.pool is not provided"),
        (lambda: slim.stack(IMAGE, slim.conv2d, 3), "stack_args is 3, expected a list"),
        (lambda: slim.arg_scope([len], a=1).__enter__(), "cannot set arguments of len: decorate it with"),
        (lambda: slim.arg_scope(slim.conv2d, a=1).__enter__(), "slim.arg_scope needs a list of functions"),
        (lambda: slim.arg_scope({}, a=1).__enter__(), "slim.arg_scope takes a scope or defaults, not both"),
        (lambda: slim.arg_scoped_arguments(len), "'len' is not decorated with @slim.add_arg_scope"),
        (slim.losses.get_total_loss, "slim.losses.get_total_loss finds no losses"),
        (lambda: slim.losses.mean_squared_error(IMAGE, VOLUME), "predictions of [2, 6, 5, 3] and labels of"),
        (lambda: slim.losses.compute_weighted_loss(IMAGE, [1.0, 2.0, 3.0]), "weights of the shape [3] do not fit"),
        (lambda: slim.losses.cosine_distance(IMAGE, IMAGE), "slim.losses.cosine_distance needs an axis"),
    ],
)
def test_what_cannot_be_is_said(graph: Graph, call: Any, message: str) -> None:
    with pytest.raises(ClaraError) as caught:
        call()
    assert message in str(caught.value)


def test_a_layer_outside_of_a_model_is_said() -> None:
    with pytest.raises(ClaraError, match=r"a variable scope is made outside of get_predictions and get_loss"):
        slim.conv2d(IMAGE, 2, 3)
