"""Penalties and constraints on weights, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.namespace import facade_module
from clara_compat.tensorflow.store import VariableStore

tf = facade_module("tensorflow")
keras = tf.keras
contrib = tf.contrib.layers

W = np.random.default_rng(0).normal(size=(3, 3, 2, 4))
ABSOLUTE, SQUARES = np.abs(W).sum(), np.square(W).sum()


def weight() -> torch.Tensor:
    return torch.tensor(W, requires_grad=True)


@pytest.mark.parametrize(
    ("regularizer", "absolute", "squares"),
    [
        (keras.regularizers.l1(), 0.01, 0),
        (keras.regularizers.l2(0.5), 0, 0.5),
        (keras.regularizers.l2(l=0.5), 0, 0.5),
        (keras.regularizers.l2(l2=0.5), 0, 0.5),
        (keras.regularizers.l1_l2(0.1, 0.2), 0.1, 0.2),
        (keras.regularizers.L1L2(l2=3), 0, 3),
        (keras.regularizers.L1L2(), 0, 0),
        (keras.regularizers.get("l2"), 0, 0.01),
        (keras.regularizers.get({"class_name": "L1L2", "config": {"l1": 0.5, "l2": 0.25}}), 0.5, 0.25),
        (contrib.l1_regularizer(0.5), 0.5, 0),
        (contrib.l2_regularizer(0.5), 0, 0.25),
        (contrib.l1_l2_regularizer(0.5, 0.5), 0.5, 0.25),
        (contrib.l1_l2_regularizer(0.0, 1.0), 0, 0.5),
        (contrib.sum_regularizer([contrib.l1_regularizer(1.0), None, contrib.l2_regularizer(2.0)]), 1, 1),
        (tf.contrib.slim.l2_regularizer(4e-5), 0, 2e-5),
    ],
)
def test_penalties(regularizer: Any, absolute: float, squares: float) -> None:
    w = weight()
    penalty = regularizer(w)
    assert penalty.ndim == 0
    assert float(penalty.detach()) == pytest.approx(absolute * ABSOLUTE + squares * SQUARES, rel=1e-12)
    if absolute or squares:
        penalty.backward()
        np.testing.assert_allclose(w.grad, absolute * np.sign(W) + 2 * squares * W, rtol=1e-12)


def test_a_scale_of_0_is_no_penalty() -> None:
    assert contrib.l2_regularizer(0.0)(weight()) is None
    assert contrib.l1_l2_regularizer(0.0, 0.0)(weight()) is None
    assert contrib.sum_regularizer([None]) is None
    with entered(Graph(VariableStore(), training=True, building=True)):
        tf.get_variable("w", [2], regularizer=contrib.l1_regularizer(0.0))
        tf.get_variable("v", [2], initializer=tf.ones_initializer(), regularizer=contrib.l1_regularizer(3.0))
        assert [float(one.detach()) for one in tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)] == [6]


def test_a_penalty_over_all_weights() -> None:
    with entered(Graph(VariableStore(), training=True, building=True)):
        for value in (1.0, 2.0):
            tf.add_to_collection(tf.GraphKeys.WEIGHTS, torch.full((2, 2), value))
        total = contrib.apply_regularization(contrib.l2_regularizer(0.5))
        assert float(total) == 0.5 * (4 * 1 + 4 * 4) / 2
        assert tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES) == [total]
        only = contrib.apply_regularization(contrib.l1_regularizer(1.0), [torch.ones(3)])
        assert float(only) == 3


def test_regularizers_of_keras_are_configured() -> None:
    made = keras.regularizers.l1_l2(0.1, 0.2)
    assert made.get_config() == {"l1": 0.1, "l2": 0.2}
    assert keras.regularizers.serialize(made) == {"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.2}}
    assert keras.regularizers.get(None) is None

    class Mine(keras.regularizers.Regularizer):
        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return x.sum()

    assert float(keras.regularizers.get(Mine)(torch.ones(3))) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: contrib.l2_regularizer(1), "scale is 1, expected a floating point number that is not negative"),
        (lambda: contrib.l1_regularizer(-0.5), "scale is -0.5, expected a floating point number"),
        (lambda: contrib.l1_l2_regularizer(0.5, 1), "scale_l2 is 1, expected a floating point number"),
        (lambda: keras.regularizers.get("L3"), "'L3' is no regularizer of Keras"),
        (lambda: keras.constraints.get("maxnorm"), "'maxnorm' is no constraint of Keras; did you mean 'MaxNorm'?"),
    ],
)
def test_what_cannot_be_is_said(call: Any, message: str) -> None:
    with pytest.raises(ClaraError) as caught:
        call()
    assert message in str(caught.value)


def test_a_penalty_over_nothing_is_said() -> None:
    with entered(Graph(VariableStore(), training=True, building=True)):
        with pytest.raises(ClaraError, match="there are no weights to regularize"):
            contrib.apply_regularization(contrib.l2_regularizer(0.5))
        with pytest.raises(ClaraError, match=r"a regularizer returned the shape \[3\], expected a scalar"):
            contrib.apply_regularization(lambda w: w, [torch.ones(3)])


NORM = np.sqrt(np.square(W).sum((0, 1, 2), keepdims=True))


@pytest.mark.parametrize(
    ("constraint", "wanted"),
    [
        (keras.constraints.MaxNorm(3.5, axis=[0, 1, 2]), W * np.minimum(NORM, 3.5) / NORM),
        (keras.constraints.max_norm(1), W * np.minimum(1, 1 / np.sqrt(np.square(W).sum(0, keepdims=True)))),
        (keras.constraints.NonNeg(), np.maximum(W, 0)),
        (keras.constraints.get("unit_norm"), W / np.sqrt(np.square(W).sum(0, keepdims=True))),
        (
            keras.constraints.MinMaxNorm(3.0, 3.5, rate=0.5, axis=(0, 1, 2)),
            W * (0.5 * np.clip(NORM, 3.0, 3.5) + 0.5 * NORM) / NORM,
        ),
    ],
)
def test_constraints(constraint: Any, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(constraint(torch.tensor(W)), wanted, rtol=1e-6)
