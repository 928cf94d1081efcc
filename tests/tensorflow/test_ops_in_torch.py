"""The functions as a part of torch: devices, tracing, export, autocast."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.namespace import facade_module
from clara_compat.tensorflow.store import VariableStore

CASES = runpy.run_path(str(Path(__file__).parents[1] / "references/tensorflow_ops_cases.py"))
TF = facade_module("tensorflow")
BY_VALUE = "unique bincount cond( case( while_loop py_func gradients( switch(tf.constant"
"""What looks at the data in Python, which a tensor without data does not have."""
BY_COUNT = "boolean_mask tf.where(mask) segment_sum(m,_[0,_0 segment_mean confusion_matrix tile(b,_tf.constant"
"""What has a size that depends on the data."""


def looks_at_data(expression: str) -> bool:
    return any(word in expression.replace(", ", ",_") for word in (BY_VALUE + " " + BY_COUNT).split())


class Expression(nn.Module):
    """Computes an expression of the inputs in a pass of its own."""

    def __init__(self, expression: str, names: list[str]) -> None:
        super().__init__()
        self.expression, self.names, self.store = expression, names, VariableStore()

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        device = inputs[0].device if inputs else torch.device("meta")
        with entered(Graph(self.store, training=True, building=True, device=device)):
            known = {"tf": TF, "K": TF.keras.backend, "np": np, **dict(zip(self.names, inputs, strict=True))}
            found = CASES["flat"](eval(self.expression, known))
        return tuple(one for one in found if isinstance(one, torch.Tensor))


@pytest.mark.parametrize("expression", [one for one in CASES["EXPRESSIONS"] if not looks_at_data(one)])
def test_everything_stays_where_the_inputs_are(expression):
    """On a device without data: what lies elsewhere, or is looked at in Python, fails."""
    names = CASES["inputs_of"](expression)
    inputs = [torch.tensor(CASES["INPUTS"][name]).to("meta") for name in names]
    assert {one.device.type for one in Expression(expression, names)(*inputs)} <= {"meta"}


FOR_EXPORT = [
    "tf.reshape(b, tf.stack([tf.shape(b)[0], -1]))",
    "tf.reshape(b, tf.concat([tf.shape(b)[:1], [12]], 0))",
    "tf.reshape(b, (2, tf.reduce_prod(tf.shape(b)[1:])))",
    "b * tf.cast(tf.shape(b)[1] * 2, tf.float32)",
    "tf.one_hot(labels, tf.shape(b)[-1])",
    "tf.nn.max_pool(image, [1, 3, 3, 1], [1, 2, 2, 1], 'SAME')",
    "tf.nn.conv3d_transpose(volume, k3up, [2, 9, 7, 11, 3], [1, 2, 2, 2, 1], 'SAME')",
    "tf.image.resize_bilinear(image, [7, 13])",
    "tf.image.resize_images(image, [10, 10], preserve_aspect_ratio=True)",
    "tf.nn.softmax_cross_entropy_with_logits_v2(labels=p, logits=b)",
    "K.categorical_crossentropy(onehot, tf.nn.softmax(b))",
    "tf.pad(b, [[0, 0], [1, 2], [2, 3]], 'REFLECT')",
    "tf.nn.leaky_relu(tf.maximum(b, 0.0) - tf.reduce_mean(b2, [1, 2], keep_dims=True))",
]


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore:`torch.jit.trace:DeprecationWarning")
@pytest.mark.parametrize("how", ["trace", "export"])
@pytest.mark.parametrize("expression", FOR_EXPORT)
def test_an_expression_is_exported_with_sizes_as_constants(expression, how):
    names = CASES["inputs_of"](expression)
    inputs = tuple(torch.tensor(CASES["INPUTS"][name]) for name in names)
    module = Expression(expression, names)
    with torch.no_grad():
        exported = torch.jit.trace(module, inputs) if how == "trace" else torch.export.export(module, inputs).module()
        shifted = tuple(one + 1 if one.is_floating_point() else one for one in inputs)
        for found, wanted in zip(exported(*shifted), module(*shifted), strict=True):
            torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(
    ("expression", "exactly"),
    [
        ("tf.reduce_mean(x)", 1.001),
        ("tf.reduce_sum(x)", 100.1),
        ("K.mean(x, axis=1)", 1.001),
        ("tf.losses.mean_squared_error(x * 0.0, x)", 1.001**2),
        ("tf.nn.l2_loss(x)", 100 * 1.001**2 / 2),
        ("tf.nn.sigmoid(x * 8.0)", 1 / (1 + np.exp(-8.008))),
        ("tf.nn.softmax(x)", 0.01),
        ("tf.nn.moments(x, [1])[0]", 1.001),
        ("tf.keras.losses.mse(x * 0.0, x)", 1.001**2),
    ],
)
def test_sums_and_probabilities_are_not_rounded_under_autocast(expression, exactly):
    x = torch.full((1, 100), 1.001).bfloat16()
    value = x[0, 0].item()
    with torch.autocast("cpu", torch.bfloat16):
        found = eval(expression, {"tf": TF, "K": TF.keras.backend, "x": x})
    assert found.dtype == torch.float32
    scale = {1.001: value, 100.1: 100 * value}.get(exactly)
    wanted = scale if scale is not None else exactly
    assert found.flatten()[0].item() == pytest.approx(wanted, rel=3e-3)


def test_outside_of_autocast_a_sum_has_the_type_of_its_values():
    assert TF.reduce_sum(torch.ones(3).half()).dtype == torch.float16
    assert TF.nn.sigmoid(torch.ones(3).half()).dtype == torch.float16


def test_sizes_stay_numbers():
    x = torch.zeros(2, 3, 4)
    for found in (
        TF.shape(x),
        TF.reduce_prod(TF.shape(x)),
        TF.stack([TF.shape(x)[0], -1]),
        TF.concat([TF.shape(x)[:1], [5]], 0),
        TF.cast(TF.shape(x)[1], TF.int64),
        TF.maximum(TF.shape(x)[0], 3),
        TF.floordiv(TF.shape(x), 2),
        TF.unstack(TF.shape(x))[0],
        TF.split(TF.shape(x), 3)[0],
        TF.gather(TF.shape(x), [0, 2]),
        TF.slice(TF.shape(x), [1], [2]),
        TF.reverse(TF.shape(x), [0]),
        TF.tile(TF.shape(x), [2]),
        TF.expand_dims(TF.shape(x), 0),
        TF.squeeze(TF.shape(x)[:1]),
        TF.identity(TF.size(x)),
    ):
        assert isinstance(found, np.ndarray | np.generic)
    assert isinstance(TF.cast(TF.shape(x)[1], TF.float32), torch.Tensor)


def test_an_out_of_range_label_has_no_class():
    labels = torch.tensor([0, -1, 7])
    found = TF.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=torch.zeros(3, 4))
    assert found.isnan().tolist() == [False, True, True]


def test_gradients_in_validation_are_refused():
    v = torch.ones(2, requires_grad=True)
    with torch.no_grad(), pytest.raises(ClaraError, match="cannot be computed in validation, where gradients are off"):
        TF.gradients(v * v, v)


FREE = [
    "tf.reshape(b, [tf.shape(b)[0], -1])",
    "tf.reshape(b, tf.stack([K.shape(b)[0], -1]))",
    "tf.reshape(b, tf.concat([tf.shape(b)[:1], [12]], 0))",
    "tf.reshape(b, (tf.shape(b)[0], tf.reduce_prod(tf.shape(b)[1:])))",
    "tf.reduce_sum(b) / tf.cast(tf.shape(b)[0], tf.float32)",
    "tf.concat([b, tf.zeros([tf.shape(b)[0], 1, 4])], 1)",
    "tf.slice(b, [0, 1, 0], [-1, 1, -1]) * tf.ones(tf.shape(b))",
]


@pytest.mark.parametrize("expression", FREE)
def test_an_exported_expression_takes_any_number_of_images(expression):
    module = Expression(expression, ["b"])
    free = {"inputs": ({0: torch.export.Dim("images", min=1, max=64)},)}
    exported = torch.export.export(module, (torch.randn(2, 3, 4),), dynamic_shapes=free).module()
    images = torch.randn(5, 3, 4)
    torch.testing.assert_close(exported(images), module(images))


def test_products_take_operands_of_both_precisions_under_autocast():
    x, y = torch.rand(3, 4), torch.rand(4, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = TF.tensordot(x.bfloat16(), y, 1), TF.matmul(x.bfloat16(), y)
    for one in found:
        torch.testing.assert_close(one.float(), x @ y, rtol=0.03, atol=0.03)
