"""Initializers draw from the laws that TensorFlow documents."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.dtypes import DTYPES
from clara_compat.tensorflow.initializers import get
from clara_compat.tensorflow.namespace import facade_module
from clara_compat.tensorflow.scopes import first_value
from clara_compat.tensorflow.shapes import TensorShape

tf = facade_module("tensorflow")
keras = facade_module("keras")

SHAPE = (3, 3, 3, 24, 40)
"""27 voxels, 24 inputs, 40 outputs: 25,920 values."""
IN, OUT = 27 * 24, 27 * 40


def cut_normal(deviation: float) -> Any:
    """A normal distribution cut at two of its deviations, which then has this one."""
    widened = deviation / stats.truncnorm(-2, 2).std()
    return stats.truncnorm(-2, 2, scale=widened)


def within(limit: float) -> Any:
    return stats.uniform(-limit, 2 * limit)


LAWS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "uniform": ("random_uniform_initializer", {}, stats.uniform(0, 1)),
    "uniform of limits": ("random_uniform_initializer", {"minval": -2.0, "maxval": 3.0}, stats.uniform(-2, 5)),
    "normal": ("random_normal_initializer", {"mean": 1.0, "stddev": 2.0}, stats.norm(1, 2)),
    "normal by default": ("initializers.random_normal", {}, stats.norm(0, 1)),
    "cut normal": ("truncated_normal_initializer", {"mean": 1.0, "stddev": 0.5}, stats.truncnorm(-2, 2, 1, 0.5)),
    "scaling by default": ("variance_scaling_initializer", {}, cut_normal(sqrt(1 / IN))),
    "scaling, normal": ("variance_scaling_initializer", {"distribution": "normal"}, cut_normal(sqrt(1 / IN))),
    "scaling, uncut": (
        "variance_scaling_initializer",
        {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"},
        stats.norm(0, sqrt(2 / OUT)),
    ),
    "scaling, mean": (
        "initializers.variance_scaling",
        {"scale": 3.0, "mode": "fan_avg", "distribution": "uniform"},
        within(sqrt(9 / ((IN + OUT) / 2))),
    ),
    "glorot uniform": ("glorot_uniform_initializer", {}, within(sqrt(6 / (IN + OUT)))),
    "glorot normal": ("glorot_normal_initializer", {}, cut_normal(sqrt(2 / (IN + OUT)))),
    "he uniform": ("initializers.he_uniform", {}, within(sqrt(6 / IN))),
    "he normal": ("initializers.he_normal", {}, cut_normal(sqrt(2 / IN))),
    "lecun uniform": ("initializers.lecun_uniform", {}, within(sqrt(3 / IN))),
    "lecun normal": ("initializers.lecun_normal", {}, cut_normal(sqrt(1 / IN))),
    "unit scaling": ("uniform_unit_scaling_initializer", {"factor": 1.5}, within(1.5 * sqrt(3 / IN))),
    "keras normal": ("keras.initializers.RandomNormal", {}, stats.norm(0, 0.05)),
    "keras uniform": ("keras.initializers.uniform", {}, within(0.05)),
    "keras cut normal": ("keras.initializers.TruncatedNormal", {}, stats.truncnorm(-2, 2, 0, 0.05)),
    "keras he normal": ("keras.initializers.he_normal", {}, cut_normal(sqrt(2 / IN))),
    "keras scaling": ("keras.initializers.VarianceScaling", {"scale": 2.0}, cut_normal(sqrt(2 / IN))),
    "keras glorot": ("keras.initializers.glorot_uniform", {}, within(sqrt(6 / (IN + OUT)))),
    "slim xavier": ("contrib.layers.xavier_initializer", {}, within(sqrt(6 / (IN + OUT)))),
    "slim xavier, 2-D": (
        "contrib.layers.xavier_initializer_conv2d",
        {"uniform": False},
        stats.truncnorm(-2, 2, 0, sqrt(1.3 * 2 / (IN + OUT))),
    ),
    "slim scaling": (
        "contrib.layers.variance_scaling_initializer",
        {},
        stats.truncnorm(-2, 2, 0, sqrt(1.3 * 2 / IN)),
    ),
    "slim scaling, uniform": (
        "contrib.slim.variance_scaling_initializer",
        {"factor": 1.0, "mode": "FAN_OUT", "uniform": True},
        within(sqrt(3 / OUT)),
    ),
}


def named(name: str) -> Any:
    found = tf
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("case", LAWS)
def test_values_follow_the_law(case: str) -> None:
    name, arguments, law = LAWS[case]
    torch.manual_seed(7)
    values = named(name)(**arguments)(SHAPE)
    assert values.shape == SHAPE
    assert values.dtype == torch.float32
    drawn = values.double().numpy().ravel()
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-3
    assert drawn.mean() == pytest.approx(law.mean(), abs=5 * law.std() / sqrt(drawn.size))
    assert drawn.std() == pytest.approx(law.std(), rel=0.02)
    low, high = law.support()
    assert low - 1e-6 <= drawn.min()
    assert drawn.max() <= high + 1e-6


@pytest.mark.parametrize(
    ("shape", "inputs", "outputs"),
    [((100, 300), 100, 300), ((200,), 200, 200), ((5, 7, 11), 35, 55), ((3, 3, 2, 9), 18, 81), ((), 1, 1)],
)
def test_inputs_and_outputs_of_a_shape(shape: tuple[int, ...], inputs: int, outputs: int) -> None:
    torch.manual_seed(1)
    for mode, number in (("fan_in", inputs), ("fan_out", outputs), ("fan_avg", (inputs + outputs) / 2)):
        init = tf.variance_scaling_initializer(3.0, mode, "uniform")
        largest = max(float(init(shape).abs().max()) for _ in range(200))
        assert largest == pytest.approx(sqrt(9 / number), rel=0.03)
        assert largest <= sqrt(9 / number) * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (3, 3, 4, 20), (3, 3, 3, 2, 100)])
def test_an_orthogonal_matrix_is_one(shape: tuple[int, ...]) -> None:
    torch.manual_seed(2)
    matrix = tf.orthogonal_initializer(gain=1.5)(shape, dtype=tf.float64).reshape(-1, shape[-1]).numpy()
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows < columns else matrix.T @ matrix
    np.testing.assert_allclose(product, 2.25 * np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_matrices_have_no_preferred_sign() -> None:
    torch.manual_seed(3)
    corners = [float(keras.initializers.Orthogonal()([6, 6])[0, 0]) for _ in range(400)]
    assert abs(np.mean(corners)) < 0.1


@pytest.mark.parametrize("name", ["random_uniform", "random_normal", "truncated_normal", "glorot_normal", "orthogonal"])
def test_seeds(name: str) -> None:
    make = getattr(tf.initializers, name)
    torch.manual_seed(5)
    first, second = make()([4, 5]), make()([4, 5])
    torch.manual_seed(5)
    assert torch.equal(make()([4, 5]), first)
    assert not torch.equal(first, second)
    own = make(seed=11)
    state = torch.get_rng_state()
    assert torch.equal(own([4, 5]), own([4, 5]))
    assert torch.equal(own([4, 5]), make(seed=11)([4, 5]))
    assert not torch.equal(own([4, 5]), make(seed=12)([4, 5]))
    assert torch.equal(torch.get_rng_state(), state)


def test_constants() -> None:
    assert torch.equal(tf.zeros_initializer()([2, 3]), torch.zeros(2, 3))
    assert torch.equal(keras.initializers.Ones()((2,)), torch.ones(2))
    assert torch.equal(tf.constant_initializer(0.25)([2, 2]), torch.full((2, 2), 0.25))
    values = tf.constant_initializer([1, 2, 3])([2, 2], dtype=tf.int32)
    assert values.tolist() == [[1, 2], [3, 3]]
    assert values.dtype == torch.int32
    kernel = np.arange(8.0).reshape(2, 2, 2)
    assert np.array_equal(tf.constant_initializer(kernel)(kernel.shape).numpy(), kernel)
    assert torch.equal(tf.initializers.identity(gain=2.0)([2, 3]), 2 * torch.eye(2, 3))


@pytest.mark.parametrize("name", DTYPES)
def test_types(name: str) -> None:
    dtype = DTYPES[name]
    assert tf.ones_initializer(dtype=dtype)([2]).dtype == dtype
    assert first_value([3], dtype.torch).dtype == dtype
    if dtype.is_floating:
        assert tf.truncated_normal_initializer(dtype=dtype)([2]).dtype == dtype
        assert tf.glorot_uniform_initializer()(TensorShape([2, 3]), name).dtype == dtype


def test_integers_are_drawn_as_integers() -> None:
    torch.manual_seed(4)
    drawn = tf.random_uniform_initializer(2, 5, dtype=tf.int32)([300])
    assert sorted(set(drawn.tolist())) == [2, 3, 4]
    assert drawn.dtype == torch.int32


@pytest.mark.parametrize(
    ("identifier", "wanted"),
    [
        ("glorot_uniform", keras.initializers.glorot_uniform),
        ("GlorotUniform", keras.initializers.glorot_uniform),
        ("he_normal", keras.initializers.he_normal),
        ("HeNormal", keras.initializers.he_normal),
        ("zero", keras.initializers.Zeros),
        ("normal", keras.initializers.RandomNormal),
        ("uniform", keras.initializers.RandomUniform),
        ("random_uniform", keras.initializers.RandomUniform),
        (keras.initializers.Orthogonal, keras.initializers.Orthogonal),
        ({"class_name": "RandomNormal", "config": {"stddev": 0.5}}, keras.initializers.RandomNormal),
    ],
)
def test_keras_finds_an_initializer(identifier: Any, wanted: type) -> None:
    found = keras.initializers.get(identifier)
    assert type(found) is wanted
    assert found([2, 2]).shape == (2, 2)
    again = keras.initializers.deserialize(keras.initializers.serialize(found))
    assert type(again) is wanted
    assert again.get_config() == found.get_config()


def test_keras_takes_what_is_an_initializer_already() -> None:
    assert get(None) is None
    assert get(torch.zeros) is torch.zeros
    assert get({"class_name": "RandomNormal", "config": {"stddev": 0.5}}).stddev == 0.5


def test_a_users_own_initializer() -> None:
    class Twos(keras.initializers.Initializer):
        def __init__(self, factor: float = 1.0) -> None:
            self.factor = factor

        def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> torch.Tensor:
            return torch.full(tuple(shape), 2 * self.factor, dtype=dtype)

    assert first_value([2], torch.float32, Twos).tolist() == [2, 2]
    made = keras.initializers.deserialize({"class_name": "Twos", "config": {"factor": 3}}, {"Twos": Twos})
    assert made([1], torch.float32).tolist() == [6]
    assert made.get_config() == {"factor": 3}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: get("he_norml"), "'he_norml' is no initializer of Keras; did you mean 'he_normal'?"),
        (lambda: get(3), "3 is no initializer: expected a name, a class or a function"),
        (lambda: tf.variance_scaling_initializer(0.0), "scale is 0.0, expected a positive number"),
        (lambda: tf.variance_scaling_initializer(mode="in"), "mode is 'in', expected one of fan_in, fan_out, fan_avg"),
        (lambda: tf.variance_scaling_initializer(distribution="gauss"), "distribution is 'gauss', expected one of"),
        (lambda: tf.orthogonal_initializer()([3]), "needs two axes or more, here the shape is [3]"),
        (lambda: tf.initializers.identity()([3]), "needs two axes, here the shape is [3]"),
        (lambda: tf.random_normal_initializer()([3], tf.int32), "draws floating point values, here int32 is wanted"),
        (lambda: tf.random_uniform_initializer(dtype=tf.int32)([3]), "needs maxval for integers"),
        (lambda: tf.constant_initializer([1, 2, 3])([2]), "have the shape [3], the variable has [2]"),
        (lambda: tf.constant_initializer([1], verify_shape=True)([2]), "have the shape [1], the variable has [2]"),
        (lambda: tf.contrib.layers.variance_scaling_initializer(mode="fan"), "mode is 'fan', expected one of FAN_IN"),
    ],
)
def test_what_cannot_be_is_said(call: Any, message: str) -> None:
    with pytest.raises(ClaraError) as caught:
        call()
    assert message in str(caught.value)
