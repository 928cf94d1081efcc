"""List the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clara_compat.errors import ClaraError

__all__ = ["components"]


def components(
    family: Annotated[str | None, typer.Argument(help="Only this family, such as transforms or losses.")] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write COMPONENTS.md (with all arguments), FIDELITY.md, TENSORFLOW.md and the tables of the migration "
            "guide there instead of printing.",
        ),
    ] = None,
) -> None:
    """List the catalogue: every Clara component, what it becomes on MONAI, and how faithful that is.

    Example: clara-compat components losses
    """
    if markdown is None:
        from clara_compat.cli.tables import print_components

        print_components(family)
    else:
        from clara_compat.run.reference import write_reference

        if family is not None:
            raise ClaraError("--markdown writes the whole catalogue: leave the family out")
        for path in write_reference(markdown):
            typer.echo(path)
