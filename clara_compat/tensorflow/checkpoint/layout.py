"""The axes of TensorFlow's weights in torch's order."""

from __future__ import annotations

import re

import numpy as np

__all__ = ["torch_layout"]

_KERNEL = re.compile(r"(\w*_)?(kernel|weights?|filters?|w)(_\d+)?", re.IGNORECASE)


def torch_layout(name: str, value: np.ndarray) -> np.ndarray:
    """Return a variable with its axes in the order in which torch keeps such weights.

    TensorFlow's kernels end in their two axes of channels: input and output of a convolution (``DHWIO``) or a dense
    layer, output and input of a transposed convolution (``DHWOI``). In torch these come first and the other way round
    (``OIDHW``, and ``IODHW`` of a transposed convolution), which is the same step for all of them. Of a depthwise
    kernel, whose last axis is the outputs per input, the two become one (``HWIM`` to ``O1HW``). What is no kernel by
    its name, biases and statistics among them, stays as it is.

    Args:
        name: of the variable.
        value: its value in TensorFlow's order.
    """
    last = name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE").rpartition("/")[2]  # the ending of TensorFlow 2
    if not 2 <= value.ndim <= 5 or not _KERNEL.fullmatch(last):
        return value
    if last.lower().startswith("depthwise") and value.ndim > 2:
        spatial = value.shape[:-2]
        return np.moveaxis(value, (-2, -1), (0, 1)).reshape(-1, 1, *spatial)
    return np.moveaxis(value, (-1, -2), (0, 1))
