"""What a component says about its place in a MONAI bundle config, in plain data.

A component returns an :class:`Entry`. Everything inside it that is a plain string, number, list or dict is **data**
(it may come from a stranger's config) and is written so that MONAI's ``ConfigParser`` can only read it as data.
References and expressions are marked with :class:`Expression`, which only our own code creates.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import Any

from clara_compat.errors import Address

__all__ = ["BundleContext", "Entry", "Expression"]


class Expression(str):
    """A string that ``ConfigParser`` shall resolve (``@network``) or evaluate (``$...``); never made from user text."""

    __slots__ = ()


class Entry:
    """One ``_target_`` entry of a MONAI bundle config.

    Args:
        target: dotted path of the class or function, or the bare name of a MONAI class.
        arguments: its keyword arguments: data, nested entries, lists of them, or :class:`Expression`.

    Example::

        Entry("ScaleIntensityRanged", keys=["image"], a_min=-57.0, a_max=164.0, b_min=0.0, b_max=1.0, clip=True)
    """

    def __init__(self, target: str, /, **arguments: Any) -> None:
        self.target = target
        self.arguments = arguments
        self.address: Address | None = None
        """Where in the user's config the component stands that becomes this, when it is one."""

    def placed(self, address: Address) -> Entry:
        """Say where in the user's config the component stands that becomes this, and return the entry."""
        self.address = address
        return self

    def imported(self) -> Any:
        """Import and return what ``target``, a dotted path, names."""
        module, _, name = self.target.rpartition(".")
        return getattr(importlib.import_module(module), name)

    def made(self) -> Any:
        """Make the object that this entry stands for, nested entries first; there must be no :class:`Expression`."""
        return self.imported()(**{name: _made(value) for name, value in self.arguments.items()})

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"Entry({self.target!r}{', ' if arguments else ''}{arguments})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and (self.target, self.arguments) == (other.target, other.arguments)

    __hash__ = None  # type: ignore[assignment]


def _made(value: Any) -> Any:
    if isinstance(value, Entry):
        return value.made()
    return [_made(item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class BundleContext:
    """What an entry may depend on besides the component's own arguments.

    Args:
        spatial_dims: 2 or 3, from the pipeline.
        in_channels: image channels, from the pipeline.
        crop_size: spatial size of a training item, from the pipeline; entries of -1 mean unknown.
        mmar: root folder of the MMAR; empty when there is none.
        label_format: classes per label of a classification item (1: binary), from the pipeline; None: not declared.
        outputs: output channels of the model; None when the config does not tell.
        final_activation: ``softmax``, ``sigmoid`` or ``linear`` of the model; None when the config does not tell.
        section: ``train`` or ``validate``: where in the bundle config the entry stands.
        debug_dir: folder for debug taps whose own folder cannot be used; a path or an expression.
        loss: reference to the loss entry; None where there is no loss.
        parameters: what the optimizer trains.
        learning_rate: reference to the learning rate.
        crops: items that a batching crop of the chain makes of one; None without such a crop.
        merges: ``MergeBatchDims`` is among the batch's transforms.
        chain_is_known: no user code is in the chain, which might make a batch.
    """

    spatial_dims: int = 3
    in_channels: int = 1
    crop_size: tuple[int, ...] | None = None
    label_format: tuple[int, ...] | None = None
    outputs: int | None = None
    final_activation: str | None = None
    mmar: str = ""
    section: str = "train"
    debug_dir: str = "debug"
    loss: Expression | None = Expression("@loss")
    parameters: Expression = Expression("$@network.parameters()")
    learning_rate: Expression = Expression("@learning_rate")
    crops: int | None = None
    merges: bool = False
    chain_is_known: bool = True

    def in_mmar(self, path: str | None) -> str | None:
        """Return a path of the config; a relative one starts from the MMAR's root."""
        return path and os.path.join(self.mmar, path)
