"""The variables of a component, by TensorFlow's names and in TensorFlow's layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

__all__ = ["VariableStore"]

_INSTEAD_OF_DOT = "~"
"""torch allows no dot in a name, TensorFlow no tilde."""


class VariableStore(nn.Module):
    """Variables by TensorFlow's names, such as ``CustomNetwork/conv3d/kernel``, in the order they were made.

    Trainable ones are parameters, the others (moving averages) buffers: so every tool of torch treats them as what they
    are. Kernels keep TensorFlow's shape (spatial..., in, out) while their memory lies as torch's convolutions want it
    (out, in, spatial...), so nothing is copied in a step.
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, str] = {}
        self.constraints: dict[str, Callable[[torch.Tensor], Any]] = {}
        """What a variable of this name becomes after each step of the optimizer."""

    def create(self, name: str, value: torch.Tensor, trainable: bool) -> None:
        """Add a variable.

        Args:
            name: TensorFlow's, without ``:0``.
            value: its first value, in TensorFlow's layout.
            trainable: whether it is a parameter.
        """
        key = name.replace(".", _INSTEAD_OF_DOT)
        while hasattr(self, key):
            key += _INSTEAD_OF_DOT
        self._keys[name] = key
        if trainable and value.is_floating_point():
            self.register_parameter(key, nn.Parameter(_laid_out(value.detach())))
        else:
            self.register_buffer(key, _laid_out(value.detach()))

    @torch.no_grad()
    def constrain(self) -> None:
        """Put every variable that has a constraint where it allows it: TensorFlow's optimizers end a step so."""
        for name, constraint in self.constraints.items():
            self[name].copy_(constraint(self[name]))

    def __contains__(self, name: str) -> bool:
        return name in self._keys

    def __getitem__(self, name: str) -> torch.Tensor:
        key = self._keys[name]
        owner: dict[str, Any] = self._parameters if key in self._parameters else self._buffers
        found: torch.Tensor = owner[key]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keys_by_name(self) -> dict[str, str]:
        """TensorFlow's names with the names in this module's ``state_dict``."""
        return dict(self._keys)

    def is_trainable(self, name: str) -> bool:
        """Whether a variable is a parameter."""
        return self._keys[name] in self._parameters

    def name_of(self, tensor: torch.Tensor) -> str | None:
        """Return the name of a variable, or None for any other tensor."""
        return next((name for name in self._keys if self[name] is tensor), None)


def _laid_out(value: torch.Tensor) -> torch.Tensor:
    """Return the value with the last axis slowest and the one before next, the order of torch's weights."""
    if value.ndim < 2:
        return value.clone(memory_format=torch.contiguous_format)
    order = [value.ndim - 1, value.ndim - 2, *range(value.ndim - 2)]
    back = [order.index(axis) for axis in range(value.ndim)]
    return value.permute(order).contiguous().clone().permute(back)
