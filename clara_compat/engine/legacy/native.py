"""A built-in's MONAI entries, for users' classes that derive from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import monai.transforms
import numpy as np
from monai.transforms import Compose, Randomizable, RandomizableTrait, Transform
from monai.utils import optional_import

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine.legacy.stacks import items_of, view_of
from clara_compat.errors import ClaraError

__all__ = ["native_chain", "run_entries"]


_MOST_CHAINS = 100
_chains: dict[str, Compose] = {}


class _Chain(Transform):
    """Several transforms as one that a cache takes for deterministic, which a ``Compose`` never is."""

    def __init__(self, transforms: Sequence[Any]) -> None:
        self.chain = Compose(transforms)

    def __call__(self, data: Any) -> Any:
        return self.chain(data)


class _RandomChain(_Chain, RandomizableTrait):
    """The same for a user's subclass that says it is not deterministic: caches stop in front of it."""


def native_chain(transform: Any, context: Mapping[str, Any], *, random: bool) -> Transform | None:
    """Return what a user's subclass of a built-in becomes when it keeps the built-in's ``transform``, else None.

    Args:
        transform: the user's object.
        context: its place in the config, by the names of the catalogue's ``BundleContext``.
        random: what its ``is_deterministic()`` denies.
    """
    entries = transform.native_entries(**context) if hasattr(transform, "native_entries") else None
    if entries is None:
        return None
    chain = [_instantiate(entry) for entry in entries]
    if any(isinstance(one, RandomizableTrait) for one in chain):
        return chain[0] if len(chain) == 1 else Compose(chain)
    if random:
        return _RandomChain(chain)
    return chain[0] if len(chain) == 1 else _Chain(chain)


def run_entries(entries: Sequence[Any], context: TransformContext, name: str) -> TransformContext:
    """Run a chain of bundle entries on the images of ``context`` and put the results back.

    Random transforms are seeded from ``numpy.random``, which the data side seeds for every item.

    Args:
        entries: objects with ``target`` and ``arguments``.
        context: changed in place.
        name: the component, for messages.

    Raises:
        ClaraError: a batching crop is given a batch.
    """
    chain = _chain_of(entries)
    if any(isinstance(one, Randomizable) for one in chain.transforms):
        chain.set_random_state(seed=int(np.random.randint(2**31)))
    nothing = {field: None if isinstance(value, MedicalImage) else value for field, value in context.items()}
    items = chain(items_of(context, nothing, name))
    if any(isinstance(one, list) for one in items):
        raise ClaraError(f"{name} would make batches of images that are batches already: it works on one item")
    result = view_of(items, name)
    for field in set(context) - set(result):
        del context[field]
    context.update(result)
    return context


def _chain_of(entries: Sequence[Any]) -> Compose:
    """Return the transforms of the entries: the same ones for the next item, as they may warn once for all."""
    key = repr(entries)
    if key not in _chains:
        if len(_chains) >= _MOST_CHAINS:
            _chains.clear()
        _chains[key] = Compose([_instantiate(entry) for entry in entries])
    return _chains[key]


def _instantiate(entry: Any) -> Any:
    module, _, name = entry.target.rpartition(".")
    factory = optional_import(module, name=name)[0] if module else getattr(monai.transforms, name)
    return factory(**entry.arguments)
