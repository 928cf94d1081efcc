"""The pages of the migration guide that are made from the catalogue and from the list of what is not accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clara_compat.report.markdown import code_span, prose, table
from clara_compat.report.reference import Described, Reference, family_title

__all__ = ["becomes_page", "not_accepted_page"]

_OURS = "clara_compat."
_BECOMES = """# Components: what each became

<!-- Made by `make docs` from the catalogue: change the components' docstrings and fidelity, not this page. -->

Every component of Clara Train 3.1, and what its entry in the bundle config points at. An entry of `monai` or `torch`
needs nothing of this project. One of `clara_compat` has Clara's exact mathematics, which MONAI's nearest class has not;
`clara-compat migrate --native` puts MONAI's nearest in its place and lists what differs.

The arguments are in [COMPONENTS.md](../COMPONENTS.md), the differences in full in [FIDELITY.md](../FIDELITY.md), and so
are the [names of Clara 1 and 2](../FIDELITY.md#names-of-earlier-versions).
"""
_NOT_ACCEPTED = """# What is not accepted, and why

<!-- Made by `make docs` from translate/not_accepted.py, which the messages use too: change that, not this page. -->

What is refused gets one message that says where it stands and what to do, as early as it can be known:
`clara-compat check` tells it of a config, `clara-compat lint` of your code. What merely differs is in
[What changes for you](what-changes.md).
"""


def becomes_page(reference: Reference) -> str:
    """Return ``migration/components.md``: Clara's name, what it became, whose class that is, how faithful."""
    lines = [_BECOMES]
    for family in reference.families:
        components = reference.of(family)
        if components:
            lines += [f"## {family_title(family)}", ""]
            lines += [*table(("Clara", "bundle entry", "needs", "notes"), [_row(one) for one in components]), ""]
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


def _row(one: Described) -> tuple[str, str, str, str]:
    needs = "clara_compat" if _OURS in one.becomes else "MONAI or torch"
    if not one.becomes.startswith((_OURS, "monai.", "torch.")):
        needs = ""
    text = code_span(one.becomes) if " " not in one.becomes else prose(one.becomes)
    level = f"[{one.level}](../FIDELITY.md#{family_title(one.family).lower().replace(' ', '-')})"
    return f"[{one.name}](../COMPONENTS.md#{one.name.lower()})", text, needs, level
