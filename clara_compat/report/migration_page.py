"""The migration report as files: a page for people, and JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from clara_compat.common.files import save_json
from clara_compat.report.html.page import render, write_page
from clara_compat.report.migration import (
    FIDELITIES,
    MEND,
    NOTHING,
    ComponentReport,
    ConfigReport,
    MigrationReport,
    fidelity_counts,
)
from clara_compat.report.migration_summary import anchor, differing, file_anchor, outcome, tasks, verdict

__all__ = ["FORMAT", "as_json", "page", "write_report"]

FORMAT = 1
"""Of ``report.json``; a higher one changes or removes what is there, while additions leave it."""

PAGE, DATA = "report.html", "report.json"

_COLOURS = dict(zip(FIDELITIES, ("good", "fair", "assumed", "own", "bad"), strict=True))
_OUTCOMES = {"ready": ("good", "ready"), "in part": ("fair", "in part"), "blocked": ("bad", "to be mended")}
_SIZES = {"small": "good", "medium": "fair", "large": "bad"}
_SHOWN = 500
"""Components of a config, and findings of a file, that the page has; the JSON has all."""


def write_report(report: MigrationReport, folder: Path) -> dict[str, Path]:
    """Write ``report.html`` and ``report.json``, each whole or not at all.

    Returns:
        The files by what they are: ``html`` and ``json``.
    """
    write_page(folder / PAGE, page(report))
    save_json(as_json(report), folder / DATA)
    return {"html": folder / PAGE, "json": folder / DATA}


def as_json(report: MigrationReport) -> dict[str, Any]:
    """Return the report as plain data.

    The keys: ``format`` (a number); ``summary`` with ``outcome`` (``ready``, ``in part`` or ``blocked``), ``verdict``
    (a sentence), ``fidelity`` (number of components by level) and ``tasks`` (each with ``size``, ``text`` and
    ``links``, whose ``anchor`` is an id of the page); and everything of
    :class:`~clara_compat.report.migration.MigrationReport` under the names of its fields, down to the ``address``
    (``file``, ``line`` or null, ``path``) of every component.
    """
    return {
        "format": FORMAT,
        "summary": {
            "outcome": outcome(report),
            "verdict": verdict(report),
            "fidelity": fidelity_counts(report),
            "tasks": [asdict(task) for task in tasks(report)],
        },
        **asdict(report),
    }


def page(report: MigrationReport) -> str:
    """Return the report as one HTML page that needs no other file."""
    components = list(report.components())
    return render(
        "migration.html.j2",
        title=f"Migration report: {report.name}",
        made=f"Made by clara-compat {report.versions.get('clara-compat', '')} on {report.date}.",
        report=report,
        verdict=verdict(report),
        outcome=_OUTCOMES[outcome(report)],
        tasks=tasks(report),
        sizes=_SIZES,
        shares=[
            (level, count, _COLOURS[level], FIDELITIES[level])
            for level, count in fidelity_counts(report).items()
            if count
        ],
        total=len(components),
        untouched=sum(one.effort == NOTHING for one in components),
        with_entries=sum(bool(one.entries) for one in components),
        same=len(components) - len(differing(report)),
        plain=sum(bool(one.entries) and not one.needs for one in components),
        colours=_COLOURS,
        fidelities=FIDELITIES,
        groups=[_groups(config) for config in report.configs],
        shown=_SHOWN,
        anchor=anchor,
        slot=_slot,
        file_anchor=file_anchor,
        file_colours={NOTHING: "good", MEND: "bad"},
    )


def _groups(config: ConfigReport) -> list[tuple[str, list[tuple[int, ComponentReport]]]]:
    """Return the components by the section they stand in, with their numbers."""
    numbered = list(enumerate(config.components))[:_SHOWN]
    return [(section, list(group)) for section, group in groupby(numbered, lambda one: _section(one[1]))]


def _section(component: ComponentReport) -> str:
    """Return the heading that a component stands under: a training has two sections, all else has one."""
    first, dot, _ = component.address.path.partition(".")
    return f"Components of {first}" if dot and first in ("train", "validate") else "Components"


def _slot(path: str) -> str:
    """Return where in its section a component stands."""
    return path.removeprefix("train.").removeprefix("validate.")
