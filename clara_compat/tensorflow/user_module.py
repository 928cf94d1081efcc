"""What a user's model and loss have in common as torch modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import nn

from clara_compat.common.data_prop import DataProperty
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph
from clara_compat.tensorflow.keras_settings import keras_settings
from clara_compat.tensorflow.names import constructed_names
from clara_compat.tensorflow.parts import Parts
from clara_compat.tensorflow.rewind import Rewind
from clara_compat.tensorflow.store import VariableStore

__all__ = ["UserModule"]


class UserModule(nn.Module):
    """Holds a user's object, its TensorFlow variables (``store``) and its layers of torch (``parts``).

    Args:
        user: the object.
        kind: what it is, for messages.
        name: its class, for messages.
        method: what it must have, with its arguments: ``get_loss(predictions, targets, build_ctx)``.
        data_property: what the pipeline says of its data.
        learning_rate: what it finds in its context until it is told otherwise.

    Raises:
        ClaraError: it lacks the method.
    """

    def __init__(
        self,
        user: Any,
        kind: Literal["model", "loss"],
        name: str,
        method: str,
        data_property: DataProperty,
        learning_rate: float,
    ) -> None:
        super().__init__()
        self.what = f"{kind} '{name}'"
        if not callable(getattr(user, method.partition("(")[0], None)):
            raise ClaraError(f"{self.what} has no method {method}")
        self.name = name
        self.data_property = data_property
        self.learning_rate = learning_rate
        self.store = VariableStore()
        self.parts = Parts(user, self.store, self.what, kind)
        self._user = [user]  # in a list: one that is a module too is among the parts, under one name
        self._rewind = Rewind(user, self.parts.held)
        self._conditions: dict[bool, dict[tuple[Any, ...], Any]] = {False: {}, True: {}}
        self._keras = keras_settings()
        self._names = constructed_names(user)  # a copy of this module has a copy of it

    @property
    def user(self) -> Any:
        """The user's object."""
        return self._user[0]

    @property
    def variables(self) -> Mapping[str, torch.Tensor]:
        """The TensorFlow variables by name, in the order they were made."""
        return {name: self.store[name] for name in self.store}

    def tensorflow_names(self) -> dict[str, str]:
        """Return the TensorFlow name of each entry of the ``state_dict`` that is a TensorFlow variable."""
        return {f"store.{key}": name for name, key in self.store.keys_by_name.items()}

    def constrain(self) -> None:
        """Put the variables where their constraints allow them, as TensorFlow's optimizers do after each step."""
        self.store.constrain()

    def _new_graph(self, training: bool, device: torch.device, building: bool = False) -> Graph:
        return Graph(
            self.store,
            training=training,
            building=building,
            device=device,
            conditions=self._conditions[training],
            names=self._names,
            keras=self._keras,
        )
