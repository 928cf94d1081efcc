"""What Keras keeps for a whole program: the default layout, the small number, the default type.

A program is one run here: a component that is used after another run began keeps the settings of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from clara_compat.tensorflow.graph import running

__all__ = ["KerasSettings", "forget_settings", "keras_settings"]


@dataclass
class KerasSettings:
    """Keras's settings with their first values.

    Args:
        image_data_format: layout of layers and functions that are given none.
        epsilon: added or clipped to where a logarithm or division needs it.
        floatx: type of variables and constants that are given none.
    """

    image_data_format: str = "channels_last"
    epsilon: float = 1e-7
    floatx: str = "float32"


_settings = KerasSettings()


def keras_settings() -> KerasSettings:
    """Return the settings, which user code changes: those of the component that runs, or of this run."""
    graph = running()
    found: KerasSettings | None = None if graph is None else graph.keras
    return _settings if found is None else found


def forget_settings() -> None:
    """Start anew: another MMAR's modules are loaded."""
    global _settings  # noqa: PLW0603 -- components of an earlier run keep theirs
    _settings = KerasSettings()
