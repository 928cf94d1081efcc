"""Clara's own names: those of the catalogue, older ones, and those that do not run yet."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clara_compat.components.component import Component
from clara_compat.components.not_yet import NOT_YET
from clara_compat.components.renamed import DONE_BY_LOADER, RENAMED, renamed_arguments
from clara_compat.config.spec import Catalogue
from clara_compat.errors import suggestion

__all__ = ["BuiltIn", "find_built_in"]

_OWN_CLASS = "; give the 'path' of a class of your own (module.Class)"


@dataclass(frozen=True)
class BuiltIn:
    """What a name of Clara's stands for.

    Args:
        name: its name in the catalogue.
        family: its family.
        cls: its class; None for one that does not run yet.
        args: the arguments under their later names.
        notice: what an old spelling became, or an empty text.
        left_out: nothing is left to do for it.
    """

    name: str
    family: str
    cls: type[Component] | None
    args: dict[str, Any]
    notice: str = ""
    left_out: bool = False


def find_built_in(name: str, args: Mapping[str, Any], catalogue: Catalogue) -> BuiltIn | str:
    """Find a component by Clara's name for it, also an older one; or say why there is none."""
    if name in DONE_BY_LOADER:
        notice = f"'{name}' is left out: the loader keeps {DONE_BY_LOADER[name]} with the image"
        return BuiltIn(name, "transforms", None, {}, notice, left_out=True)
    entry = RENAMED.get(name)
    current = entry.name if entry else name
    cls = catalogue.components.get(current)
    if cls is None and current not in NOT_YET:
        return f"is no known component{suggestion(name, [*catalogue.components, *NOT_YET]) or _OWN_CLASS}"
    family = NOT_YET[current] if cls is None else catalogue.family(cls)
    takes = frozenset(inspect.signature(cls.__init__).parameters) if cls is not None else frozenset()
    new, found = renamed_arguments(name, args, takes)
    notice = ""
    if entry is not None:
        source = "" if entry.documented else " (assumed)"
        notice = f"'{name}' is an older name of {current}{source}"
    elif found:
        notice = f"{current} takes the older spelling of {', '.join(found)}"
    return BuiltIn(current, family, cls, new, notice)
