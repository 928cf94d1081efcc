"""Initializers with Keras's own defaults, and how Keras finds one by its name."""

from __future__ import annotations

from typing import Any

from clara_compat.tensorflow.identifiers import provide_lookups
from clara_compat.tensorflow.initializers import laws, scaled
from clara_compat.tensorflow.registry import symbol

__all__ = ["RandomNormal", "RandomUniform", "TruncatedNormal", "get"]


@symbol("keras.initializers.RandomNormal", "keras.initializers.random_normal", "keras.initializers.normal")
class RandomNormal(laws.RandomNormal):
    """Normal, with a deviation of 0.05; see :class:`~clara_compat.tensorflow.initializers.laws.RandomNormal`."""

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None, dtype: Any = "float32"
    ) -> None:
        super().__init__(mean, stddev, seed, dtype)


@symbol("keras.initializers.RandomUniform", "keras.initializers.random_uniform", "keras.initializers.uniform")
class RandomUniform(laws.RandomUniform):
    """Uniform within 0.05; see :class:`~clara_compat.tensorflow.initializers.laws.RandomUniform`."""

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None, dtype: Any = "float32"
    ) -> None:
        super().__init__(minval, maxval, seed, dtype)


@symbol("keras.initializers.TruncatedNormal", "keras.initializers.truncated_normal")
class TruncatedNormal(laws.TruncatedNormal):
    """Cut normal, with a deviation of 0.05 before the cut."""

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None, dtype: Any = "float32"
    ) -> None:
        super().__init__(mean, stddev, seed, dtype)


_CLASSES: dict[str, type] = {
    "zeros": laws.Zeros,
    "ones": laws.Ones,
    "constant": laws.Constant,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": scaled.VarianceScaling,
    "orthogonal": laws.Orthogonal,
    "identity": laws.Identity,
    "glorot_uniform": scaled.glorot_uniform_initializer,
    "glorot_normal": scaled.GlorotNormal,
    "lecun_uniform": scaled.LecunUniform,
    "lecun_normal": scaled.LecunNormal,
    "he_uniform": scaled.HeUniform,
    "he_normal": scaled.HeNormal,
}
_SHORT = {"zero": "zeros", "one": "ones", "normal": "random_normal", "uniform": "random_uniform"}

get = provide_lookups(
    "keras.initializers",
    "initializer",
    {
        **_CLASSES,
        **{"".join(part.capitalize() for part in name.split("_")): cls for name, cls in _CLASSES.items()},
        **{short: _CLASSES[name] for short, name in _SHORT.items()},
    },
)
