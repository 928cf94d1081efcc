"""The base of everything in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from clara_compat.components.entry import BundleContext, Entry

__all__ = ["Component", "Fidelity", "approximate", "assumed", "exact"]


@dataclass(frozen=True)
class Fidelity:
    """How close a component is to Clara's own, as data: ``check``, the reports and the documentation print it.

    Args:
        level: ``exact`` (same documented maths), ``approximate`` (documented, differs as ``note`` says) or
            ``assumed`` (not documented; ``note`` says what was chosen).
        note: the difference or the choice, in one sentence.
    """

    level: Literal["exact", "approximate", "assumed"]
    note: str = ""


def exact(note: str = "") -> Fidelity:
    """The documented behaviour, with an optional remark."""
    return Fidelity("exact", note)


def approximate(note: str) -> Fidelity:
    """Documented behaviour that is met except as ``note`` says."""
    return Fidelity("approximate", note)


def assumed(note: str) -> Fidelity:
    """Undocumented behaviour; ``note`` says what was chosen."""
    return Fidelity("assumed", note)


class Component:
    """A class of the catalogue: Clara's constructor, and the MONAI bundle entry it becomes.

    Subclasses keep Clara's argument names and defaults in ``__init__`` with type annotations: a config's arguments are
    checked and converted against them (``"false"`` becomes ``False`` for ``bool``). Constructing one must stay cheap
    and must not import torch or MONAI.
    """

    fidelity: ClassVar[Fidelity]
    """How close to Clara's own this component is."""

    becomes: ClassVar[str]
    """What it becomes, as a reader would say it: ``monai.transforms.ScaleIntensityRanged``."""

    undocumented: ClassVar[bool] = False
    """Whether only the name is known: an argument that ``__init__`` does not take may have been right for Clara, so it
    is refused as not understood rather than as wrong."""

    def notices(self, context: BundleContext) -> list[str]:
        """Return what the user should know about this component in this place, a sentence each."""
        return []

    def bundle_entry(self, context: BundleContext) -> Entry | list[Entry]:
        """Return the entry (or, for a transform, the chain of entries) of a MONAI bundle config this becomes."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it becomes")
