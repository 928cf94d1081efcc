"""Initializers whose spread follows from the number of inputs and outputs of a weight."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from clara_compat.tensorflow.initializers.base import Random, fans, normal, truncated_normal, uniform
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = [
    "GlorotNormal",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "UniformUnitScaling",
    "VarianceScaling",
    "glorot_uniform_initializer",
]

_DEVIATION_WHEN_CUT = 0.87962566103423978
"""Standard deviation of a standard normal distribution that is cut off at -2 and 2."""
_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("normal", "uniform", "truncated_normal", "untruncated_normal")


@symbol("variance_scaling_initializer", "initializers.variance_scaling", "keras.initializers.VarianceScaling")
class VarianceScaling(Random):
    """Draws with the variance ``scale / n``.

    Args:
        scale: factor of the variance.
        mode: ``n`` is the number of inputs (``fan_in``), of outputs (``fan_out``), or their mean (``fan_avg``).
        distribution: ``uniform``, ``untruncated_normal``, or ``truncated_normal`` (``normal`` is the same), which is
            cut off at two deviations and widened so that its variance stays what it should be.
        seed: see :class:`~clara_compat.tensorflow.initializers.base.Random`.
        dtype: the type of the value, where the call names none.

    Raises:
        ClaraError: the scale is not positive, or there is no such mode or distribution.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        dtype: Any = "float32",
    ) -> None:
        super().__init__(seed, dtype)
        if scale <= 0:
            raise refusal(f"scale is {scale}, expected a positive number")
        if mode not in _MODES:
            raise refusal(f"mode is {mode!r}, expected one of {', '.join(_MODES)}")
        if distribution.lower() not in _DISTRIBUTIONS:
            raise refusal(f"distribution is {distribution!r}, expected one of {', '.join(_DISTRIBUTIONS)}")
        self.scale = scale
        self.mode = mode
        self.distribution = distribution.lower()

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return drawn values."""
        inputs, outputs = fans(shape)
        number = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[self.mode]
        variance = self.scale / max(1.0, number)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return self.drawn(shape, dtype, uniform(-limit, limit))
        if self.distribution == "untruncated_normal":
            return self.drawn(shape, dtype, normal(0.0, math.sqrt(variance)))
        return self.drawn(shape, dtype, truncated_normal(0.0, math.sqrt(variance) / _DEVIATION_WHEN_CUT))


class _Named(VarianceScaling):
    """A variance scaling that has a name of its own; the arguments left are those of :class:`Random`."""

    law: ClassVar[tuple[float, str, str]]

    def __init__(self, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(*self.law, seed, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        config = super().get_config()
        return {name: config[name] for name in ("seed", "dtype")}


@symbol("glorot_uniform_initializer", "initializers.glorot_uniform", "keras.initializers.glorot_uniform")
class GlorotUniform(_Named):
    """Uniform within ``sqrt(6 / (inputs + outputs))``: the default of kernels."""

    law = (1.0, "fan_avg", "uniform")


glorot_uniform_initializer = GlorotUniform


@symbol("glorot_normal_initializer", "initializers.glorot_normal", "keras.initializers.glorot_normal")
class GlorotNormal(_Named):
    """Cut normal of the variance ``2 / (inputs + outputs)``."""

    law = (1.0, "fan_avg", "truncated_normal")


@symbol("initializers.lecun_normal", "keras.initializers.lecun_normal")
class LecunNormal(_Named):
    """Cut normal of the variance ``1 / inputs``."""

    law = (1.0, "fan_in", "truncated_normal")


@symbol("initializers.lecun_uniform", "keras.initializers.lecun_uniform")
class LecunUniform(_Named):
    """Uniform within ``sqrt(3 / inputs)``."""

    law = (1.0, "fan_in", "uniform")


@symbol("initializers.he_normal", "keras.initializers.he_normal")
class HeNormal(_Named):
    """Cut normal of the variance ``2 / inputs``."""

    law = (2.0, "fan_in", "truncated_normal")


@symbol("initializers.he_uniform", "keras.initializers.he_uniform")
class HeUniform(_Named):
    """Uniform within ``sqrt(6 / inputs)``."""

    law = (2.0, "fan_in", "uniform")


@symbol("uniform_unit_scaling_initializer", "initializers.uniform_unit_scaling")
class UniformUnitScaling(Random):
    """Uniform within ``factor * sqrt(3 / n)``, where ``n`` is the product of all sizes but the last.

    Args:
        factor: of the limit.
        seed: see :class:`~clara_compat.tensorflow.initializers.base.Random`.
        dtype: the type of the value, where the call names none.
    """

    def __init__(self, factor: float = 1.0, seed: int | None = None, dtype: Any = "float32") -> None:
        super().__init__(seed, dtype)
        self.factor = factor

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return drawn values."""
        limit = math.sqrt(3.0 / max(1.0, math.prod(shape[:-1]))) * self.factor
        return self.drawn(shape, dtype, uniform(-limit, limit))
