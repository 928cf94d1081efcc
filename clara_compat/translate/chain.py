"""A legacy transform chain as MONAI entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.problems import Notice
from clara_compat.errors import Address, ClaraError

__all__ = ["Chain", "component_entries", "transform_chain", "user_component"]

_LONGEST = 1000
"""MONAI's ConfigParser takes time quadratic in the length of a chain."""


@dataclass(frozen=True)
class Chain:
    """Entries of a chain, for each the place in the user's config it came from, and what to tell the user."""

    entries: list[Entry] = field(default_factory=list)
    sources: list[Address] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def transform_chain(specs: Sequence[ComponentSpec], context: BundleContext) -> Chain:
    """Translate a chain of transforms; a user's own transform becomes an adapter entry.

    Raises:
        ClaraError: the chain is too long, or a transform cannot be made.
    """
    if len(specs) > _LONGEST:
        raise ClaraError(f"a chain of {len(specs)} transforms: at most {_LONGEST} are supported", specs[0].address)
    chain = Chain()
    for spec in specs:
        if spec.cls is not None:
            chain.notices.extend(Notice(spec.address, text) for text in create(spec).notices(context))
        for entry in _transform_entries(spec, context):
            if spec.alias:
                entry.arguments["_desc_"] = f"{spec.name}: {', '.join(spec.alias)}"
            chain.entries.append(entry)
            chain.sources.append(spec.address)
    return chain


def user_component(spec: ComponentSpec) -> Entry:
    """Return the entry that imports and makes a user's own component."""
    return Entry(
        "clara_compat.tensorflow.loader.component", path=spec.user.path if spec.user else spec.name, args=spec.args
    )


def component_entries(spec: ComponentSpec, context: BundleContext) -> list[Entry]:
    """Return what a catalogue component becomes.

    Raises:
        ClaraError: the component refuses its arguments; with the address of its element.
    """
    try:
        entries = create(spec).bundle_entry(context)
    except ClaraError as error:
        raise error if error.address else ClaraError(error.message, spec.address) from error
    return entries if isinstance(entries, list) else [entries]


def _transform_entries(spec: ComponentSpec, context: BundleContext) -> list[Entry]:
    if spec.cls is None:
        return [Entry("clara_compat.engine.legacy.transform.legacy_transform", transform=user_component(spec))]
    return component_entries(spec, context)
