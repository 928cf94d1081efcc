"""The command ``clara-compat report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    folder: Annotated[Path, typer.Argument(metavar="MMAR_CKPT_DIR", help="Output folder of a training.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The page. By default report.html in the folder.")
    ] = None,
    evaluation: Annotated[
        Path | None,
        typer.Option("--eval", metavar="MMAR_EVAL_OUTPUT_PATH", help="Show the results of an evaluation, too."),
    ] = None,
) -> None:
    """Make the report of a training: one HTML page with curves, cases, pictures of the worst ones and configuration.

    The page needs no other file and no network. A training makes it at its end; this makes it anew, of a run that was
    stopped or of a bundle, or together with an evaluation. The folder is only read as data: nothing in it is run.

    Example: clara-compat report my_mmar/models --eval my_mmar/eval -o spleen.html
    """
    from clara_compat.run.training_report import training_report

    typer.echo(f"Report: {training_report(folder, evaluation=evaluation, out=out)}")
