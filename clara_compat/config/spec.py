"""A resolved component of a config, and the catalogue it was looked up in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clara_compat.components.component import Component
from clara_compat.config.paths import JSONPath
from clara_compat.config.positions import Located
from clara_compat.config.user_code import UserClass
from clara_compat.errors import Address

__all__ = ["FAMILY_WORDS", "Catalogue", "ComponentSpec"]

FAMILY_WORDS: Mapping[str, str] = {
    "transforms": "a transform",
    "losses": "a loss",
    "models": "a model",
    "metrics": "a metric",
    "optimizers": "an optimizer",
    "lr_policies": "a learning-rate policy",
    "pipelines": "an image pipeline",
    "inferers": "an inferer",
    "handlers": "a handler",
    "aux_ops": "an auxiliary operation",
    "model_loaders": "a model loader",
    "writers": "a writer",
}
"""Families of the catalogue, as messages call one of their members."""


@dataclass(frozen=True)
class Catalogue:
    """The built-in components.

    Args:
        components: classes by name.
        family: the family of a class, such as ``transforms``.
    """

    components: Mapping[str, type[Component]]
    family: Callable[[type[Component]], str]

    @classmethod
    def installed(cls) -> Catalogue:
        """The catalogue of this package."""
        from clara_compat.components import catalogue

        return cls(catalogue.components(), catalogue.family)

    def family_of(self, name: str) -> str | None:
        """The family of the built-in called ``name``, or None when there is none."""
        found = self.components.get(name)
        return None if found is None else self.family(found)


@dataclass(frozen=True)
class ComponentSpec:
    """One component of a workflow, resolved and not yet made.

    Args:
        name: class name.
        alias: names after ``#``.
        cls: the class of the catalogue, or None.
        user: the user's own class, or None. Both are None for a class of MONAI or torch, and for user code that was not
            found and need not be.
        args: constructor arguments, variables put in; of the train component for a ``ref``.
        address: where the element stands (the ref's own place for a ``ref``).
        section: ``train.pre_transforms``.
        dotted: the path or name as the config gives it, without aliases.
        ref: text of the ``ref``, or None.
        undefined: arguments that became None (or hold None) because a variable is not defined, with its name.
        document: the config, for addresses.
        args_path: JSON path of ``args``.
        pending: a component of Clara's that this version does not run yet.
        base: the built-in whose constructor the user's own class takes over as it is, or None.
        stock: ``dotted`` is the path of a network or loss of MONAI or torch.
    """

    name: str
    alias: tuple[str, ...]
    cls: type[Component] | None
    user: UserClass | None
    args: dict[str, Any]
    address: Address
    section: str
    dotted: str = ""
    ref: str | None = None
    undefined: Mapping[str, str] = field(default_factory=dict)
    document: Located | None = field(default=None, repr=False, compare=False)
    args_path: JSONPath = field(default=(), repr=False)
    pending: bool = False
    base: type[Component] | None = None
    stock: bool = False

    def arg_address(self, name: str, *below: str | int) -> Address:
        """Where the argument ``name`` (or a part of its value) stands; the place of ``args`` when it is not given."""
        if self.document is None:
            return self.address
        return self.document.address(*self.args_path, name, *below)
