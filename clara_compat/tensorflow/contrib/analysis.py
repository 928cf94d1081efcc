"""``slim.model_analyzer`` and ``slim.utils``, and summaries that nobody looks at."""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import torch

from clara_compat.tensorflow.contrib.parts import collected
from clara_compat.tensorflow.dtypes import as_dtype
from clara_compat.tensorflow.graph import current, running
from clara_compat.tensorflow.operands import tensor_name
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["analyze_vars", "convert_collection_to_dict", "tensor_description"]

logger = logging.getLogger(__name__)


@symbol("contrib.slim.model_analyzer.tensor_description")
def tensor_description(var: torch.Tensor) -> str:
    """Return the type and shape of a tensor: ``(float32 3x3x1x8)``."""
    return f"({as_dtype(var.dtype).name} {'x'.join(map(str, var.shape))})"


@symbol("contrib.slim.model_analyzer.analyze_vars", note="What it prints goes to the log, once for a component.")
def analyze_vars(variables: Iterable[torch.Tensor], print_info: bool = False) -> tuple[int, int]:
    """Return how many values variables have, and how many bytes.

    Args:
        variables: the variables.
        print_info: log each with its type, shape and size.
    """
    found = list(variables)
    counts = [math.prod(one.shape) for one in found]
    bytes_of = [count * one.dtype.itemsize for count, one in zip(counts, found, strict=True)]
    graph = running()
    if print_info and (graph is None or (graph.building and graph.training)):  # once: the last pass that builds
        lines = [
            f"{tensor_name(one)} {tensor_description(one)} [{count}, bytes: {size}]"
            for one, count, size in zip(found, counts, bytes_of, strict=True)
        ]
        head = "Variables: name (type shape) [size]"
        totals = [f"Total size of variables: {sum(counts)}", f"Total bytes of variables: {sum(bytes_of)}"]
        logger.info("%s", "\n".join([head, *lines, *totals]))
    return sum(counts), sum(bytes_of)


@symbol("contrib.slim.utils.convert_collection_to_dict", "contrib.layers.utils.convert_collection_to_dict")
def convert_collection_to_dict(collection: str, clear_collection: bool = False) -> OrderedDict[str, torch.Tensor]:
    """Return what layers put into a collection by ``outputs_collections``, by the names of their scopes."""
    graph = current("a collection")
    found = OrderedDict(
        (alias, one) for one in graph.collected(collection) for alias in getattr(one, "aliases", [tensor_name(one)])
    )
    if clear_collection:
        graph.collections.pop(collection, None)
    return found


register(collected, "contrib.slim.utils.collect_named_outputs", "contrib.layers.utils.collect_named_outputs")


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Do nothing."""


_UNSEEN = "Does nothing: a user's summaries are not written."
for _name in (
    *("summarize_activation", "summarize_activations", "summarize_biases", "summarize_collection"),
    *("summarize_tensor", "summarize_tensors", "summarize_variables", "summarize_weights"),
):
    register(_nothing, f"contrib.layers.{_name}", f"contrib.slim.{_name}", note=_UNSEEN)
for _name in ("add_histogram_summary", "add_histogram_summaries", "add_image_summary", "add_scalar_summary"):
    register(_nothing, f"contrib.slim.summaries.{_name}", note=_UNSEEN)
