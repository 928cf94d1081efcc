"""``keras.Input``: where a functional model begins."""

from __future__ import annotations

from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.graph import current, layer_names
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.layers.recording import declare, symbolic
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import symbol

__all__ = ["Input", "InputLayer"]


@symbol(
    "keras.Input",
    "keras.layers.Input",
    note="Made in get_predictions. Without a tensor it stands for zeros of its shape, on which layers run once a step, "
    "without gradients; a size of None is that of the model's input.",
)
def Input(
    shape: Any = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool = False,
    tensor: Any = None,
    batch_shape: Any = None,
    **kwargs: Any,
) -> torch.Tensor:
    """Begin a functional model.

    Args:
        shape: without the batch's size.
        batch_size: None: that of the model's input.
        name: means nothing.
        dtype: None: that of the model's input.
        sparse: True is refused.
        tensor: what the input is, instead of a shape.
        batch_shape: a shape with the batch's size.
        **kwargs: Keras's other names of these.

    Raises:
        ClaraError: there is neither a shape nor a tensor, or a size of None that nothing says.
    """
    graph = current("a keras Input")
    counts = layer_names().layers
    counts["input"] = counts.get("input", 0) + 1
    if sparse:
        raise refusal("keras Input(sparse=True) is not provided")
    if tensor is not None:
        given = as_tensor(tensor, dtype)
        return declare(graph, given.view_as(given), given)
    if batch_shape is None:
        batch_shape = kwargs.get("batch_input_shape")
    if batch_shape is None and shape is None:
        raise refusal("a keras Input needs a shape or a tensor")
    whole = [batch_size, *([shape] if isinstance(shape, int) else shape)] if batch_shape is None else list(batch_shape)
    known: list[int | None] = [None] * len(whole)
    if len(graph.input_shape) == len(whole):
        known = list(graph.input_shape)
    elif graph.input_shape:
        known[0] = graph.input_shape[0]
    sizes = [size if have is None else int(have) for size, have in zip(known, whole, strict=True)]
    if sizes[0] is None:
        sizes[0] = 1
    if None in sizes:
        raise refusal(f"the shape of a keras Input is {whole}: say the sizes that are None")
    wanted = graph.input_dtype if dtype is None else torch_dtype(dtype)
    zeros = torch.zeros([int(size or 0) for size in sizes], dtype=wanted, device=graph.device)
    return declare(graph, symbolic(zeros), made_up=True)


@symbol("keras.layers.InputLayer")
class InputLayer(Layer):
    """What says the shape of a Sequential's input.

    Args:
        input_shape: without the batch's size.
        batch_size: means nothing.
        dtype: means nothing.
        input_tensor: refused: call the model on it.
        **kwargs: what every layer takes.
    """

    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        input_tensor: Any = None,
        **kwargs: Any,
    ) -> None:
        if input_tensor is not None:
            raise refusal("InputLayer(input_tensor=...) is not provided: call the model on the tensor")
        super().__init__(**kwargs, **({} if input_shape is None else {"input_shape": input_shape}))
