"""What the arguments of Keras layers mean."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.keras_settings import keras_settings
from clara_compat.tensorflow.place import refusal

__all__ = ["activation", "constraint", "flat", "is_channels_first", "is_true", "mapped", "regularizer", "tuple_of"]


def is_channels_first(data_format: str | None) -> bool:
    """Whether the channels are axis 1; of None what ``K.image_data_format()`` says.

    Raises:
        ClaraError: it is none of Keras's two words.
    """
    if data_format is None:
        data_format = keras_settings().image_data_format
    found = str(data_format).lower()
    if found not in ("channels_first", "channels_last"):
        raise refusal(f"data_format is '{data_format}', expected 'channels_first' or 'channels_last'")
    return found == "channels_first"


def tuple_of(value: Any, count: int, what: str) -> tuple[int, ...]:
    """Return ``count`` numbers, from one or so many.

    Raises:
        ClaraError: it is neither.
    """
    try:
        found = (operator.index(value),) * count if hasattr(value, "__index__") else tuple(map(operator.index, value))
    except TypeError:
        found = ()
    if len(found) != count:
        raise refusal(f"{what} is {value!r}, expected one whole number or {count}")
    return found


def activation(identifier: Any) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """Return the function of an activation given as a name, a function or a layer; None for none."""
    if identifier is None or identifier == "linear":
        return None
    if callable(identifier) and not isinstance(identifier, type):
        found: Callable[[torch.Tensor], torch.Tensor] = identifier
        return found
    from clara_compat.tensorflow.keras_functions.activations import get

    return get(identifier)


def constraint(identifier: Any) -> Callable[[torch.Tensor], Any] | None:
    """Return the function of a constraint given as a name, an object or a function; None for none."""
    if identifier is None:
        return None
    from clara_compat.tensorflow.constraints import get

    found: Callable[[torch.Tensor], Any] | None = get(identifier)
    return found


def regularizer(identifier: Any) -> Callable[[torch.Tensor], Any] | None:
    """Return the function of a regularizer given as a name, an object or a function; None for none."""
    if identifier is None:
        return None
    from clara_compat.tensorflow.regularizers import get

    found: Callable[[torch.Tensor], Any] | None = get(identifier)
    return found


def is_true(training: Any) -> bool:
    """Whether ``training`` is true: Python's, a number's or a tensor's; of None what ``K.learning_phase()`` says."""
    if training is None:
        graph = running()
        training = graph is not None and graph.learning_phase
    return bool(training)


def flat(structure: Any) -> Iterator[Any]:
    """Yield what lists, tuples and dictionaries hold, however deep."""
    if isinstance(structure, list | tuple):
        for one in structure:
            yield from flat(one)
    elif isinstance(structure, dict):
        for key in sorted(structure):
            yield from flat(structure[key])
    else:
        yield structure


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """Return the structure with ``function`` of everything in it."""
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(mapped(function, one) for one in structure))
    if isinstance(structure, list | tuple):
        found: Sequence[Any] = [mapped(function, one) for one in structure]
        return found if isinstance(structure, list) else tuple(found)
    if isinstance(structure, dict):
        return {key: mapped(function, one) for key, one in structure.items()}
    return function(structure)
