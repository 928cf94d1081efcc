"""What the commands print."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from clara_compat.errors import ClaraError, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from clara_compat.run.check import CheckReport
    from clara_compat.run.data_summary import DataSummary
    from clara_compat.run.train import TrainResult

__all__ = ["print_check", "print_components", "print_training", "wide_console", "write_check_page"]

_COLOURS = {"exact": "green", "approximate": "yellow", "assumed": "cyan", "user code": "blue", "not yet": "red"}


def print_check(report: CheckReport, *, as_json: bool) -> None:
    """Print a check report as a table with what must be mended below it, or as JSON."""
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
        return
    console = wide_console()
    if report.rows:
        table = Table("component", "becomes", "fidelity", "where", title="What runs in place of each component")
        for row in report.rows:
            place = row.place.rpartition(" ")[2]
            table.add_row(escape(row.component), _short(row.becomes), _coloured(row.fidelity), escape(place))
        console.print(table)
        notes = Table.grid("component", "note", padding=(0, 2))
        for name, note in dict.fromkeys((row.component, row.note) for row in report.rows if row.note):
            notes.add_row(escape(name), escape(note))
        console.print(notes)
    if report.data:
        console.print(_data_table(report.data))
    for title, lines in (
        ("Odd, but harmless", report.notices),
        ("Right, but not run by this version yet", report.limits),
        ("Lines of your own code that do not run (clara-compat lint tells more)", report.code),
        ("To be mended", report.errors),
    ):
        if lines:
            console.print(f"\n{title}:", style="bold")
            for line in lines:
                console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if report.passed:
        but = [
            *(["see what does not run yet"] if report.limits else []),
            *(["a run ends where it reaches a line of the above"] if report.code else []),
        ]
        console.print(f"\nNothing to mend{' in the config' if but else ''}{''.join(f', but {one}' for one in but)}.")


def write_check_page(report: CheckReport, path: Path, *, quiet: bool) -> None:
    """Write a check report as a page, and print its path unless ``quiet``.

    Raises:
        ClaraError: it cannot be written.
    """
    from clara_compat.report.html.page import write_page
    from clara_compat.report.migration_page import page
    from clara_compat.run.migration_report import collect

    content = page(collect([report]))
    try:
        write_page(path, content)
    except OSError as error:
        raise ClaraError(
            f"the page {path} cannot be written: {error.strerror}; name another file with --html"
        ) from error
    if not quiet:
        wide_console().print(f"\nThe report: {path}", markup=False, highlight=False, soft_wrap=True)


def _data_table(summaries: Sequence[DataSummary]) -> Table:
    table = Table("section", "scans", "a step", "steps per epoch", "cached", "size", title="What an epoch is")
    for one in summaries:
        scans = str(one.items) if one.items == one.scans else f"{one.items} ({one.scans} different)"
        if one.items_per_epoch != one.items:
            scans += f", {one.items_per_epoch} per epoch"
        step = f"{one.items_per_step} x {one.crops} crops" if one.crops > 1 else str(one.items_per_step)
        cached = f"{one.cached_scans} up to {one.cached_up_to}, in {one.place}" if one.cached_up_to else "nothing"
        if one.place == "nowhere":
            cached = "nothing"
        size = "known when the first is read" if one.cached_bytes is None else f"{one.cached_bytes / 1e6:.0f} MB"
        table.add_row(one.section, scans, step, str(one.steps), cached, size)
    return table


def print_components(family: str | None) -> None:
    """Print the catalogue, or one family of it."""
    from clara_compat.components import catalogue

    classes = catalogue.components()
    families = sorted({catalogue.family(cls) for cls in classes.values()})
    if family is not None and family not in families:
        raise ClaraError(f"no family '{family}'{suggestion(family, families)} (families: {', '.join(families)})")
    console = wide_console()
    for name in families if family is None else [family]:
        table = Table("component", "becomes", "fidelity", "remark", title=name, title_justify="left", expand=False)
        for component, cls in sorted(classes.items()):
            if catalogue.family(cls) == name:
                table.add_row(component, _short(cls.becomes), _coloured(cls.fidelity.level), cls.fidelity.note)
        console.print(table)


def print_training(result: TrainResult) -> None:
    """Print the closing table of a training run."""
    stats = result.stats
    table = Table(title="Training finished", show_header=False, title_justify="left")
    epochs = stats["epochs"]
    table.add_row("epochs", f"{len(epochs)} ({stats['steps']} steps)")
    table.add_row("loss", f"{_number(epochs[0]['loss'])} in the first epoch, {_number(epochs[-1]['loss'])} in the last")
    if stats.get("key_metric"):
        table.add_row(
            f"best {escape(stats['key_metric'])}", f"{_number(stats['best_value'])} after epoch {stats['best_epoch']}"
        )
        last: dict[str, Any] = next((epoch["metrics"] for epoch in reversed(epochs) if "metrics" in epoch), {})
        for name, value in last.items():
            table.add_row(f"last {escape(name)}", _number(value))
    skipped = stats.get("skipped") or []
    if skipped:
        files = "; ".join(one["files"] for one in skipped[:5]) + (" ..." if len(skipped) > 5 else "")
        table.add_row("skipped", escape(f"{len(skipped)} of the scans, which cannot be read: {files}"))
    table.add_row("seconds", f"{sum(epoch['seconds'] + epoch.get('validation_seconds', 0) for epoch in epochs):.1f}")
    table.add_row("device", _device(stats))
    for name in ("model", "final_model", "stats", "bundle", "report"):
        if name in result.paths:
            table.add_row(name.replace("_", " "), escape(str(result.paths[name])))
    wide_console().print(table)


def _device(stats: Mapping[str, Any]) -> str:
    """Return what a training ran on."""
    processes = f"{stats['processes']} processes, each with " if "processes" in stats else ""
    return f"{stats['device']}, {processes}{stats['threads']} thread{'' if stats['threads'] == 1 else 's'}"


def _short(becomes: str) -> str:
    """Return ``Name (package)`` for a dotted path; other texts as they are."""
    package, dot, _ = becomes.partition(".")
    return f"{becomes.rpartition('.')[2]} ({package})" if dot and " " not in becomes else becomes


def _number(value: Any) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _coloured(fidelity: str) -> str:
    return f"[{_COLOURS.get(fidelity, 'white')}]{fidelity}[/]"


def wide_console() -> Console:
    """Return a console that fits the terminal; piped output is wide, so that tables stay readable in logs."""
    return Console() if sys.stdout.isatty() else Console(width=160)
