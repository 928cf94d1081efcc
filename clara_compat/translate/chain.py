"""A legacy transform chain as MONAI entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from clara_compat.components import catalogue
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.config.arguments import bind_arguments, create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.problems import Notice
from clara_compat.config.user_code import UserClass
from clara_compat.errors import Address, ClaraError

__all__ = ["Chain", "built_in_base", "component_entries", "component_entry", "transform_chain", "user_component"]

_PLACE = ("spatial_dims", "in_channels", "crop_size", "mmar", "section", "debug_dir")
"""What of its place a user's subclass of a built-in is told; the rest of the context is for losses and metrics."""


@dataclass
class Chain:
    """A translated chain.

    Args:
        entries: the transforms.
        sources: for each the place in the user's config it came from.
        notices: what to tell the user.
        crops: items that a batching crop makes of one, or None.
        merges: it has a ``MergeBatchDims``.
        is_known: no user code is in it, which might make a batch.
    """

    entries: list[Entry] = field(default_factory=list)
    sources: list[Address] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    crops: int | None = None
    merges: bool = False
    is_known: bool = True


def transform_chain(specs: Sequence[ComponentSpec], context: BundleContext) -> Chain:
    """Translate a chain of transforms; a user's own transform becomes an adapter entry.

    Raises:
        ClaraError: the chain makes batches of batches, or a transform cannot be made.
    """
    chain = Chain()
    for spec in specs:
        component = create(spec) if spec.cls is not None else None
        if component is not None:
            chain.notices.extend(Notice(spec.address, text) for text in component.notices(context))
            chain.merges = chain.merges or spec.name == "MergeBatchDims"
            _count_crops(chain, spec, getattr(component, "batches", None))
        else:
            chain.is_known = False
        for entry in _users_entries(spec, context) if component is None else _entries(component, spec, context):
            if spec.alias:
                entry.arguments["_desc_"] = f"{spec.name}: {', '.join(spec.alias)}"
            chain.entries.append(entry)
            chain.sources.append(spec.address)
    return chain


def user_component(spec: ComponentSpec) -> Entry:
    """Return the entry that imports and makes a user's own component.

    Where its class takes over a built-in's constructor, the arguments are converted as the built-in's (``"false"``).
    """
    args = spec.args if spec.base is None else bind_arguments(spec)
    path = spec.user.path if spec.user else spec.dotted
    return Entry("clara_compat.tensorflow.loader.component", path=path, args=args).placed(spec.address)


def component_entries(spec: ComponentSpec, context: BundleContext) -> list[Entry]:
    """Return what a catalogue component becomes.

    Raises:
        ClaraError: the component refuses its arguments; with the address of its element.
    """
    return _entries(create(spec), spec, context)


def component_entry(spec: ComponentSpec, context: BundleContext) -> Entry:
    """Return the one entry that a catalogue component becomes: all but some transforms and handlers.

    Raises:
        ClaraError: the component refuses its arguments; with the address of its element.
    """
    [entry] = component_entries(spec, context)
    return entry


def _entries(component: Component, spec: ComponentSpec, context: BundleContext) -> list[Entry]:
    try:
        entries = component.bundle_entry(context)
    except ClaraError as error:
        raise error if error.address else ClaraError(error.message, spec.address) from error
    return [entry.placed(spec.address) for entry in (entries if isinstance(entries, list) else [entries])]


def _count_crops(chain: Chain, spec: ComponentSpec, crops: int | None) -> None:
    if crops is None:
        return
    if chain.crops is not None:
        raise ClaraError(
            f"{spec.name} would make batches of crops that are batches already: leave one of the two crops out",
            spec.address,
        )
    chain.crops = crops


def _users_entries(spec: ComponentSpec, context: BundleContext) -> list[Entry]:
    more: dict[str, Any] = {}
    if spec.user is not None and built_in_base(spec.user) is not None:
        place = {name: value for name, value in asdict(context).items() if name in _PLACE}
        more["context"] = {name: list(value) if isinstance(value, tuple) else value for name, value in place.items()}
    target = "clara_compat.engine.legacy.transform.legacy_transform"
    return [Entry(target, transform=user_component(spec), **more)]


def built_in_base(user: UserClass) -> type[Component] | None:
    """Return the built-in that a user's class derives from, or None."""
    known = catalogue.components()
    return next((known[name] for name in user.ancestors if name in known), None)
