"""slim's batch normalisation, which has no ``gamma`` unless it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from clara_compat.tensorflow.contrib.parts import (
    Activation,
    Collections,
    LayerVariables,
    finished,
    floating,
    provided,
)
from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.initializers.laws import Ones, Zeros
from clara_compat.tensorflow.normalization import batch_normalization
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.scopes import GraphKeys, variable_scope

__all__ = ["batch_norm"]

_FIRST_VALUES = {"gamma": Ones(), "beta": Zeros(), "moving_mean": Zeros(), "moving_variance": Ones()}


@provided(
    "batch_norm",
    note="Moving averages change in the forward pass of training, whatever updates_collections says; renorm, "
    "batch_weights, adjustment and zero_debias_moving_mean are refused.",
)
def batch_norm(
    inputs: Any,
    decay: float = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Activation = None,
    param_initializers: Mapping[str, Any] | None = None,
    param_regularizers: Mapping[str, Any] | None = None,
    updates_collections: Any = GraphKeys.UPDATE_OPS,
    is_training: Any = True,
    reuse: Any = None,
    variables_collections: Collections = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    batch_weights: Any = None,
    fused: bool | None = None,
    data_format: str = "NHWC",
    zero_debias_moving_mean: bool = False,
    scope: Any = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_decay: float = 0.99,
    adjustment: Any = None,
) -> torch.Tensor:
    """Return batch normalisation over all axes but that of the channels.

    ``data_format`` is ``NHWC`` or ``NCHW``, whatever the number of axes.

    Raises:
        ClaraError: the layout is unknown, or an argument is not provided here.
    """
    asked = {
        "batch_weights": batch_weights is not None,
        "renorm": renorm,
        "adjustment": adjustment is not None,
        "zero_debias_moving_mean": zero_debias_moving_mean,
    }
    for argument, given in asked.items():
        if given:
            raise refusal(f"{argument} of slim.batch_norm is not provided")
    if data_format not in ("NHWC", "NCHW"):
        raise refusal(f"data_format is {data_format!r}, expected 'NHWC' or 'NCHW'")
    graph = current("batch normalisation")
    inputs = floating(inputs)
    axis = 1 if data_format == "NCHW" else inputs.ndim - 1
    with variable_scope(scope, "BatchNorm", reuse=reuse) as opened:
        names = [name for name, used in (("gamma", scale), ("beta", center)) if used]
        if updates_collections != GraphKeys.UPDATE_OPS or (inputs.ndim == 2 and fused is not False):
            names.reverse()  # slim's own code makes them in this order, that of tf.layers in the other
        dtype = torch.float64 if inputs.dtype == torch.float64 else torch.float32
        variable = LayerVariables(dtype, variables_collections, trainable)
        initializers, regularizers = param_initializers or {}, param_regularizers or {}
        values = {
            name: variable(
                name,
                [inputs.shape[axis]],
                initializers.get(name, _FIRST_VALUES[name]),
                None if name.startswith("moving") else regularizers.get(name),
                trainable=not name.startswith("moving"),
            )
            for name in (*names, "moving_mean", "moving_variance")
        }
        outputs = batch_normalization(
            inputs,
            values["moving_mean"],
            values["moving_variance"],
            values.get("gamma"),
            values.get("beta"),
            axis=axis,
            training=bool(is_training),
            momentum=decay,
            epsilon=epsilon,
            update=graph.training and not graph.building,
            unbiased=False if fused is False else True if inputs.ndim == 2 else None,
        )
        return finished(outputs, opened, activation_fn, outputs_collections)
