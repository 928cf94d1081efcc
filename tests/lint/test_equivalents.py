"""What to write with torch: every object that is named exists, and simple expressions give what TensorFlow gives."""

from __future__ import annotations

import importlib
import re

import numpy as np
import pytest
import torch
from scipy import special

from clara_compat.lint.components import _PORTED
from clara_compat.lint.equivalents import equivalent, equivalents
from clara_compat.tensorflow.namespace import all_symbols, canonical

PATHS = sorted(
    {
        path
        for one in equivalents().values()
        for text in (one.text, one.mind)
        for path in re.findall(r"\b(?:torch|monai|ignite|functools)(?:\.\w+)+", text)
    }
    | {path for paths in _PORTED.values() for path in paths.values()}
)


@pytest.mark.parametrize("path", PATHS)
def test_what_is_named_exists(path) -> None:
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        break
    for part in parts[length:]:
        found = getattr(found, part)


def test_the_common_symbols_are_there_by_their_canonical_names() -> None:
    assert len(equivalents()) > 500
    assert all(canonical(name.removesuffix(".*")) == name.removesuffix(".*") for name in equivalents())
    assert equivalent("tensorflow.nn.softmax").text == "torch.softmax(x, dim=1)"
    assert equivalent("tensorflow.keras.layers.Conv3D").text.startswith("torch.nn.Conv3d(")
    assert "stride 1 only" in equivalent("tensorflow.keras.layers.Conv3D").mind
    assert (
        equivalent("tensorflow.layers.batch_normalization").text == "torch.nn.BatchNorm3d(c, eps=1e-3, momentum=0.01)"
    )
    assert equivalent("tensorflow.train.AdamOptimizer").mind.endswith("functools.partial(torch.optim.Adam, lr=lr)")
    assert equivalent("tensorflow.data.experimental.AUTOTUNE").text.startswith("monai.data.Dataset")
    assert equivalent("tensorflow.nothing.of.it").text == ""


def test_nearly_all_that_the_facade_provides_has_an_equivalent() -> None:
    provided = [name for name in all_symbols() if name.startswith("tensorflow.")]
    unknown = [name for name in provided if not equivalent(name).text]
    assert len(unknown) <= 0.05 * len(provided), unknown


X = np.random.default_rng(0).uniform(0.1, 0.9, (2, 3, 4, 5, 6))
Y = np.random.default_rng(1).uniform(0.1, 0.9, X.shape)
SPACE = (2, 3, 4)
ONE = {
    "abs": np.abs,
    "square": np.square,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "tan": np.tan,
    "asin": np.arcsin,
    "atan": np.arctan,
    "cosh": np.cosh,
    "erf": special.erf,
    "erfc": special.erfc,
    "lgamma": special.gammaln,
    "digamma": special.digamma,
    "asinh": np.arcsinh,
    "atanh": np.arctanh,
    "math.reduce_euclidean_norm": lambda x: np.sqrt(np.sum(x**2, axis=SPACE)),
    "nn.zero_fraction": lambda x: np.float32(0),
    "image.transpose": lambda x: x.swapaxes(-1, -2),
    "floor": np.floor,
    "round": np.round,
    "negative": np.negative,
    "reciprocal": np.reciprocal,
    "nn.relu": lambda x: np.maximum(x, 0),
    "nn.relu6": lambda x: np.clip(x, 0, 6),
    "nn.leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "nn.elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "nn.swish": lambda x: x * special.expit(x),
    "nn.crelu": lambda x: np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis=1),
    "nn.softplus": lambda x: np.logaddexp(x, 0),
    "nn.softsign": lambda x: x / (1 + np.abs(x)),
    "nn.sigmoid": special.expit,
    "nn.tanh": np.tanh,
    "log_sigmoid": special.log_expit,
    "keras.backend.hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "nn.softmax": lambda x: special.softmax(x, axis=1),
    "nn.log_softmax": lambda x: special.log_softmax(x, axis=1),
    "nn.l2_normalize": lambda x: x / np.sqrt(np.maximum(np.sum(x**2, axis=1, keepdims=True), 1e-12)),
    "reduce_sum": lambda x: x.sum(axis=SPACE),
    "reduce_mean": lambda x: x.mean(axis=SPACE),
    "reduce_max": lambda x: x.max(axis=SPACE),
    "reduce_min": lambda x: x.min(axis=SPACE),
    "reduce_prod": lambda x: x.prod(axis=2),
    "reduce_logsumexp": lambda x: special.logsumexp(x, axis=SPACE),
    "keras.backend.var": lambda x: x.var(axis=SPACE),
    "keras.backend.std": lambda x: x.std(axis=SPACE),
    "norm": lambda x: np.sqrt(np.sum(x**2)),
    "argmax": lambda x: x.argmax(axis=1),
    "cumsum": lambda x: x.cumsum(axis=0),
    "keras.layers.GlobalAveragePooling3D": lambda x: x.mean(axis=SPACE),
    "keras.layers.GlobalMaxPool3D": lambda x: x.max(axis=SPACE),
    "keras.layers.Flatten": lambda x: x.reshape(2, -1),
    "expand_dims": lambda x: x[:, None],
    "reverse": lambda x: x[:, :, ::-1],
    "size": lambda x: x.size,
    "rank": lambda x: x.ndim,
    "zeros_like": np.zeros_like,
    "keras.backend.flatten": np.ravel,
}
TWO = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.mod,
    "pow": np.power,
    "math.xlogy": special.xlogy,
    "keras.losses.LogCosh": lambda a, b: np.mean(np.log(np.cosh(a - b))),
    "keras.losses.MSLE": lambda a, b: np.mean((np.log(1 + a) - np.log(1 + b)) ** 2),
    "keras.losses.MAPE": lambda a, b: 100 * np.mean(np.abs((a - b) / a)),
    "maximum": np.maximum,
    "minimum": np.minimum,
    "squared_difference": lambda a, b: (a - b) ** 2,
    "greater": np.greater,
    "less_equal": np.less_equal,
    "div_no_nan": lambda a, b: np.divide(a, b, out=np.zeros_like(a), where=b != 0),
    "concat": lambda a, b: np.concatenate([a, b], axis=1),
    "stack": lambda a, b: np.stack([a, b]),
    "keras.layers.Average": lambda a, b: (a + b) / 2,
    "losses.mean_squared_error": lambda a, b: np.mean((a - b) ** 2),
    "losses.absolute_difference": lambda a, b: np.mean(np.abs(a - b)),
    "losses.huber_loss": lambda a, b: np.mean(0.5 * (a - b) ** 2),
}


def value_of(name: str, **values: np.ndarray) -> np.ndarray:
    text = equivalent(f"tensorflow.{name}").text
    tensors = {key: torch.from_numpy(value.copy()) for key, value in values.items()}
    return np.asarray(eval(text, {"torch": torch}, tensors))


@pytest.mark.parametrize("name", ONE)
def test_a_function_of_one_tensor(name) -> None:
    x = X - 0.5 if name.startswith(("nn.", "abs", "keras.backend.hard")) else X
    np.testing.assert_allclose(value_of(name, x=x), ONE[name](x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", TWO)
def test_a_function_of_two_tensors(name) -> None:
    b = np.where(Y > 0.8, 0, Y) if name == "div_no_nan" else Y
    np.testing.assert_allclose(value_of(name, a=X, b=b), TWO[name](X, b), rtol=1e-12)
