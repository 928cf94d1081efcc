"""The command ``clara-compat migrate``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from clara_compat.cli.flags import spread
from clara_compat.cli.tables import wide_console

if TYPE_CHECKING:
    from clara_compat.run.migrate import MigrateResult

__all__ = ["migrate", "spread_configs"]


def migrate(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the bundle; it must not exist yet.")],
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "-c",
            "--config",
            help="A training config, one for evaluation, or both after one -c; also relative to the MMAR. By default "
            "config/config_train.json and config/config_validation.json.",
        ),
    ] = None,
    mmar: Annotated[Path | None, typer.Option("-m", "--mmar", help="Root folder of the MMAR.")] = None,
    env: Annotated[
        Path | None,
        typer.Option("-e", "--env", help="Environment file. By default the MMAR's config/environment.json."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="K=V", help="Override a variable or any place in the configs, as in train."),
    ] = None,
    native: Annotated[
        bool,
        typer.Option(
            "--native",
            help="Put MONAI's nearest class in the place of everything that needs clara_compat; docs/README.md lists "
            "what differs. Your own Clara or TensorFlow code is replaced by a stand-in, to be ported.",
        ),
    ] = False,
) -> None:
    """Write an MMAR as a MONAI bundle that python -m monai.bundle run trains, evaluates and infers with.

    The configs are the very ones that train and evaluate run here, with epochs, learning_rate, DATA_ROOT and the other
    variables at their top. Weights and your own code come along, docs/README.md says how it is run and what in it needs
    clara_compat, docs/report.html what became of each component. Nothing of the MMAR is changed, none of your code is
    run, and the data need not be there.

    Example: clara-compat migrate -m my_mmar -o my_bundle
    """
    from clara_compat.run.migrate import migrate as run

    _print(run(out, mmar, config or (), env, set_ or (), native=native))


def spread_configs(arguments: list[str]) -> list[str]:
    """Write ``migrate -c A B`` as ``migrate -c A -c B``; other commands take one config."""
    if arguments[:1] != ["migrate"]:
        return arguments
    long = ["-c" if argument == "--config" else argument for argument in arguments]
    return spread(long, "-c", lambda text: [] if text.startswith("-") else [text])


def _print(result: MigrateResult) -> None:
    """Print what was written, what the user should know, and how to go on."""
    from clara_compat.report.bundle_entries import is_own

    console = wide_console()
    for notice in result.notices:
        console.print(f"note: {notice}", markup=False, highlight=False, soft_wrap=True)
    table = Table("file", "what it is", title=f"Bundle {escape(str(result.folder))}", title_justify="left")
    for name, what in result.contents.items():
        table.add_row(escape(name), escape(what))
    console.print(table)
    differing = [one for differences in result.differences.values() for one in differences if one.text]
    own = dict.fromkeys(one.was for one in differing if is_own(one.was))
    if result.differences:
        console.print(f"{len(differing)} entries give other results than clara_compat's: docs/README.md lists them.")
    if own:
        text = f"Not in it until you port it: {', '.join(own)}."
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    elif result.needs:
        console.print(f"{sum(result.needs.values())} entries need clara_compat installed; --native does without.")
    console.print(f"cd {shlex.quote(str(result.folder))}", markup=False, highlight=False, soft_wrap=True)
    first = next(iter(result.configs))
    command = f"python -m monai.bundle run --config_file configs/{first}.json --logging_file configs/logging.conf"
    console.print(command, markup=False, highlight=False, soft_wrap=True)
