"""What a Keras layer demands of its inputs' shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from clara_compat.tensorflow.layers.arguments import flat
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["InputSpec", "check"]


@symbol("keras.layers.InputSpec", "layers.InputSpec")
class InputSpec:
    """Axes and sizes that a layer accepts.

    Args:
        dtype: remembered only.
        shape: every size; None stands for any.
        ndim: number of axes.
        max_ndim: at most so many axes.
        min_ndim: at least so many axes.
        axes: sizes by axis; None stands for any.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}

    def problem(self, shape: torch.Size) -> str:
        """Return what is wrong with a shape: what was expected; empty when nothing is."""
        ndim = len(shape)
        if self.ndim is not None and ndim != self.ndim:
            return f"expected {self.ndim} axes"
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"expected at most {self.max_ndim} axes"
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"expected at least {self.min_ndim} axes"
        for axis, size in self.axes.items():
            if not -ndim <= axis < ndim:
                return f"expected an axis {axis}"
            if size is not None and shape[axis] != size:
                return f"expected the size {size} at axis {axis}"
        for axis, size in enumerate(self.shape or ()):
            if size is not None and shape[axis] != size:
                return f"expected the size {size} at axis {axis}"
        return ""

    def __repr__(self) -> str:
        told = {name: value for name, value in vars(self).items() if value not in (None, {})}
        return f"InputSpec({', '.join(f'{name}={value}' for name, value in told.items())})"


def check(spec: Any, inputs: Any, name: str) -> None:
    """Compare inputs with what a layer demands of them.

    Args:
        spec: one, several in a list, or None.
        inputs: the layer's, one or several.
        name: the layer's.

    Raises:
        ClaraError: they do not fit, at the user's line.
    """
    if isinstance(spec, InputSpec) and isinstance(inputs, torch.Tensor) and not spec.problem(inputs.shape):
        return
    specs = [] if spec is None else spec if isinstance(spec, list | tuple) else [spec]
    given = list(flat(inputs))
    if specs and len(specs) != len(given):
        raise refusal(f"layer '{name}' expects {len(specs)} inputs but got {len(given)}")
    for number, (one, tensor) in enumerate(zip(specs, given, strict=False)):
        problem = one.problem(tensor.shape) if one is not None else ""
        if problem:
            which = f"input {number} of layer '{name}'" if len(specs) > 1 else f"the input of layer '{name}'"
            hint = ": look at the layer's data_format" if "size" in problem else ""
            raise refusal(f"{which} has the shape {list(tensor.shape)}, {problem}{hint}")
