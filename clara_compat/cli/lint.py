"""The command ``clara-compat lint``."""

from __future__ import annotations

import json as json_
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

if TYPE_CHECKING:
    from clara_compat.lint.findings import Component, FileReport, Finding, LintReport

__all__ = ["lint"]

_COLOURS = {"runs": "green", "runs, differs": "yellow", "not provided": "red", "does not run": "red"}


def lint(
    paths: Annotated[list[Path], typer.Argument(help="Python files, or folders of them.")],
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print only what does not run.")] = False,
) -> None:
    """Say line by line what of your own code runs, what does not, and what it is in torch or MONAI.

    For models and losses written with TensorFlow 1 or Keras, which run unmodified here: each symbol is looked up among
    those provided, and followed by what to write in its place if you port the code. Also for all other components:
    wrong ai4med imports, missing methods, Python 2, removed numpy names. The code is read and never run or imported.

    [green]runs[/]: as in TensorFlow · [yellow]runs, differs[/]: read the note · [red]not provided[/],
    [red]does not run[/]: to be mended. Exit code 0 when everything runs, 2 otherwise.

    Example: clara-compat lint my_mmar/custom
    """
    from clara_compat.lint.linter import lint as run

    report = run(paths)
    if json:
        sys.stdout.write(json_.dumps(report.as_json(), indent=2) + "\n")
    else:
        _print(report, quiet=quiet)
    raise typer.Exit(0 if report.passed else 2)


def _print(report: LintReport, *, quiet: bool) -> None:
    from clara_compat.cli.tables import wide_console

    console = wide_console()
    said: set[str] = set()
    for one in report.files:
        for item in one.all():
            if not quiet or not item.status.passes:
                console.print(_line(one, item, said), soft_wrap=True)
    if not quiet:
        console.print(_summary(report), soft_wrap=True, highlight=False)


def _line(report: FileReport, item: Component | Finding, said: set[str]) -> Text:
    """Return ``file:line:column: status: message; port: ...``; what to mind is said once."""
    place = f"{report.file}:{item.line}:{getattr(item, 'column', 1)}: "
    text = Text.assemble((place, "dim"), (f"{item.status.value}: ", _COLOURS[item.status.value]), item.message)
    if hasattr(item, "family"):
        text.stylize("bold", len(place))
    if item.equivalent:
        mind = getattr(item, "mind", "")
        text.append(f"; port: {item.equivalent}", "cyan")
        if mind and (fresh := f"{item.equivalent} {mind}") not in said:
            said.add(fresh)
            text.append(f" ({mind})")
    return text


def _summary(report: LintReport) -> str:
    counts = ", ".join(f"{number} {status}" for status, number in report.counts().items() if number)
    components = [one for file in report.files for one in file.components]
    running = sum(one.status.passes for one in components)
    files = f"{len(report.files)} file{'' if len(report.files) == 1 else 's'}"
    lines = f"{files}, {len(components)} component{'' if len(components) == 1 else 's'}, {running} of them run"
    return f"{lines}. Places: {counts}." if counts else f"{lines}."
