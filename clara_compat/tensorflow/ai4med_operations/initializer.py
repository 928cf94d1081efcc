"""``ai4med.operations.initializer``: initializers by name."""

from __future__ import annotations

from typing import Any

from clara_compat.tensorflow.initializers import get
from clara_compat.tensorflow.initializers.keras import RandomNormal, RandomUniform, TruncatedNormal
from clara_compat.tensorflow.initializers.laws import Constant, Ones, Orthogonal, Zeros
from clara_compat.tensorflow.initializers.scaled import (
    GlorotNormal,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    glorot_uniform_initializer,
)
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register

__all__ = [
    "constant",
    "get_initializer",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

he_normal, he_uniform = HeNormal, HeUniform
glorot_normal, glorot_uniform = GlorotNormal, glorot_uniform_initializer
xavier_normal, xavier_uniform = GlorotNormal, glorot_uniform_initializer
lecun_normal, lecun_uniform = LecunNormal, LecunUniform
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
constant, ones, zeros = Constant, Ones, Zeros
orthogonal, variance_scaling = Orthogonal, VarianceScaling


def get_initializer(name: Any, seed: int | None = None, dtype: Any = "float32") -> Any:
    """Return the initializer of a name.

    Args:
        name: such as ``he_normal`` or ``xavier_uniform``, or anything that ``keras.initializers.get`` takes.
        seed: for those that draw: draw the same values in every call.
        dtype: the type of what it makes, where the call names none.

    Raises:
        ClaraError: there is no such initializer.
    """
    if not isinstance(name, str):
        return get(name)
    found = get(name.lower().replace("xavier", "glorot"))
    if seed is None:
        return type(found)(dtype=dtype)
    if not hasattr(found, "seed"):
        raise refusal(f"the initializer '{name}' draws nothing, so it takes no seed")
    return type(found)(seed=seed, dtype=dtype)


_NOTE = "assumed: the names are the obvious ones, the arguments those of TensorFlow."
for _name in __all__:
    register(globals()[_name], f"ai4med.operations.initializer.{_name}", note=_NOTE)
