"""Initializers of ``tf.contrib.layers``."""

from __future__ import annotations

import math
from typing import Any

import torch

from clara_compat.tensorflow.initializers.base import Random, truncated_normal, uniform
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register

__all__ = ["variance_scaling_initializer", "xavier_initializer"]

_MODES = ("FAN_IN", "FAN_OUT", "FAN_AVG")
_WIDENED = 1.3
"""Factor of the variance before a normal distribution is cut at two deviations, which leaves about the wanted one."""


class _Scaled(Random):
    """Draws with the variance ``factor / n``; see :func:`variance_scaling_initializer`."""

    def __init__(self, factor: float, mode: str, uniform: bool, seed: int | None, dtype: Any) -> None:
        super().__init__(seed, dtype)
        self.factor = factor
        self.mode = mode
        self.uniform = uniform

    def make(self, shape: list[int], dtype: torch.dtype) -> torch.Tensor:
        """Return drawn values."""
        inputs, outputs = (shape[-2] if len(shape) > 1 else shape[-1], shape[-1]) if shape else (1, 1)
        field = math.prod(shape[:-2])
        number = {"FAN_IN": inputs, "FAN_OUT": outputs, "FAN_AVG": (inputs + outputs) / 2}[self.mode] * field
        if self.uniform:
            limit = math.sqrt(3.0 * self.factor / number)
            return self.drawn(shape, dtype, uniform(-limit, limit))
        return self.drawn(shape, dtype, truncated_normal(0.0, math.sqrt(_WIDENED * self.factor / number)))


def variance_scaling_initializer(
    factor: float = 2.0, mode: str = "FAN_IN", uniform: bool = False, seed: int | None = None, dtype: Any = "float32"
) -> Random:
    """Return an initializer that draws with the variance ``factor / n``.

    Args:
        factor: of the variance.
        mode: ``n`` is the number of inputs (``FAN_IN``), of outputs (``FAN_OUT``), or their mean (``FAN_AVG``).
        uniform: draw from a uniform distribution rather than from a cut normal one.
        seed: None: go on with torch's default generator; a number: draw the same values in every call.
        dtype: the type of the value, where the call names none.

    Raises:
        ClaraError: there is no such mode.
    """
    if mode not in _MODES:
        raise refusal(f"mode is {mode!r}, expected one of {', '.join(_MODES)}")
    return _Scaled(factor, mode, uniform, seed, dtype)


def xavier_initializer(uniform: bool = True, seed: int | None = None, dtype: Any = "float32") -> Random:
    """Return an initializer that draws with the variance ``2 / (inputs + outputs)``: the default of slim's kernels."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


for _name, _value in {
    "variance_scaling_initializer": variance_scaling_initializer,
    "xavier_initializer": xavier_initializer,
    "xavier_initializer_conv2d": xavier_initializer,
}.items():
    register(_value, f"contrib.layers.{_name}", f"contrib.slim.{_name}")
