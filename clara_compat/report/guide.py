"""The pages of the migration guide that are made from the catalogue and from the list of what is not accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clara_compat.report.markdown import code_span, escaped, prose, table
from clara_compat.report.reference import Described, Reference, family_title

__all__ = ["NativeForm", "becomes_page", "not_accepted_page"]

_BECOMES = """# Components: what each became

<!-- Made by `make docs` from the catalogue: change the components' docstrings and fidelity, not this page. -->

Every component of Clara Train 3.1: what its entry in the bundle config points at, and what stands there instead after
`clara-compat migrate --native`. An entry of `monai` or `torch` needs nothing of this project. One of `clara_compat` has
Clara's exact mathematics, which MONAI's nearest class has not.

The last two columns are for an element with the defaults of its arguments. What they are for yours is listed in the
`docs/README.md` and `docs/report.html` of a bundle that was written with `--native`, and so is what surrounds the
components: data list, caches, checkpoints, statistics. An auxiliary operation and the metric that reads its value
become one metric, which stands in the operation's row.

The arguments are in [COMPONENTS.md](../COMPONENTS.md), the differences in full in [FIDELITY.md](../FIDELITY.md), and so
are the [names of Clara 1 and 2](../FIDELITY.md#names-of-earlier-versions).
"""
_HEADS = ("Clara", "bundle entry", "fidelity", "with `--native`", "what differs then")
_NOT_ACCEPTED = """# What is not accepted, and why

<!-- Made by `make docs` from translate/not_accepted.py, which the messages use too: change that, not this page. -->

What is refused gets one message that says where it stands and what to do, as early as it can be known:
`clara-compat check` tells it of a config, `clara-compat lint` of your code. What merely differs is in
[What changes for you](what-changes.md).
"""


@dataclass(frozen=True)
class NativeForm:
    """What stands in the place of a component in a bundle of plain MONAI.

    Args:
        same: the entries are those of the exact bundle.
        names: of the entries otherwise, as the config has them; none where it is left out.
        difference: how the results differ, in words; empty where they do not.
    """

    same: bool
    names: tuple[str, ...] = ()
    difference: str = ""


def becomes_page(reference: Reference, natives: Mapping[str, NativeForm]) -> str:
    """Return ``migration/components.md``: Clara's name, what it became, how faithful, and the same in plain MONAI.

    Args:
        reference: the catalogue.
        natives: what ``--native`` puts in the place of each component, by its name.
    """
    lines = [_BECOMES]
    for family in reference.families:
        components = reference.of(family)
        if components:
            lines += [f"## {family_title(family)}", ""]
            lines += [*table(_HEADS, [_row(one, natives[one.name]) for one in components]), ""]
    return "\n".join(lines)


def not_accepted_page(groups: Mapping[str, Sequence[tuple[str, str, str]]], not_yet: Mapping[str, str]) -> str:
    """Return ``migration/what-is-not-accepted.md``.

    Args:
        groups: by heading: what, why, and what to do instead.
        not_yet: families by the names of Clara's components that do not run.
    """
    lines = [_NOT_ACCEPTED]
    for title, rows in groups.items():
        lines += [f"## {title}", "", *table(("what", "why", "instead"), [tuple(map(prose, row)) for row in rows]), ""]
    names = ", ".join(code_span(name) for name in sorted(not_yet))
    lines += [
        "## Components of Clara that do not run",
        "",
        f"{names}: what it did is not documented, and a choice of ours would train another network than yours.",
        "A config that names one passes `check`, which says so; the training stops before anything is written.",
    ]
    return "\n".join(lines) + "\n"


def _row(one: Described, native: NativeForm) -> tuple[str, str, str, str, str]:
    text = code_span(one.becomes) if " " not in one.becomes else prose(one.becomes)
    level = f"[{one.level}](../FIDELITY.md#{family_title(one.family).lower().replace(' ', '-')})"
    names = ", ".join(map(code_span, native.names)) or ("left out" if native.difference else "not needed")
    name = f"[{one.name}](../COMPONENTS.md#{one.name.lower()})"
    if native.same:
        return name, text, level, "the same", ""
    return name, text, level, names, escaped(native.difference)
