"""The command ``nvmidl-dataconvert`` (``python -m nvmidl.apps.convert_medical_image``), with Clara's own flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clara_compat.cli.exit import MEND, exit_code

if TYPE_CHECKING:
    from clara_compat.run.dataconvert import Answer, Job, Outcome

__all__ = ["app", "main", "spread_resolution"]

app = typer.Typer(
    name="nvmidl-dataconvert",
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def convert(
    folder: Annotated[Path, typer.Option("-d", "--dir", help="Folder whose tree holds the scans.")],
    resolution: Annotated[
        list[float] | None,
        typer.Option(
            "-r",
            "--res",
            metavar="MM [MM MM]",
            help="New voxel size: one number for all axes, or three, in the order of the file's axes. "
            "Without it the grid is kept.",
        ),
    ] = None,
    source_ext: Annotated[
        str, typer.Option("-s", "--src_ext", help="Format to read: .dcm, .nii, .nii.gz, .mha, .mhd or .nrrd.")
    ] = ".nii",
    target_ext: Annotated[
        str, typer.Option("-e", "--dst_ext", help="Format to write: .nii, .nii.gz, .mha, .mhd or .nrrd.")
    ] = ".nii",
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the results; made when missing.")] = Path(),
    force: Annotated[bool, typer.Option("-f", "--force", help="Overwrite what exists, without asking.")] = False,
    label: Annotated[
        bool, typer.Option("-l", "--label", help="The files are labels: take the nearest voxel, never a mixture.")
    ] = False,
    first_decimal: Annotated[
        int | None,
        typer.Option("-n", "--first_decimal", help="Accepted and not used: what it did is not documented."),
    ] = None,
    precision: Annotated[
        int,
        typer.Option(
            "-p", "--precision", min=0, help="Decimals of a file's voxel size that count for the new number of voxels."
        ),
    ] = 3,
    edge: Annotated[
        bool,
        typer.Option(
            "--edge", help="Where the new grid reaches beyond the scan, continue its last voxels instead of writing 0."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be converted.")] = False,
) -> None:
    """Convert all scans below a folder to another format, and to another resolution with -r.

    The tree of folders is kept. With -s .dcm every folder is one DICOM series, and its result has the folder's name.
    What exists is asked about (Y/N/A/S), or stays when there is no terminal. A damaged file does not stop the others.
    A result is written whole or not at all, and holds voxels, their type and the geometry, no patient data.

    The new number of voxels along an axis is floor(size x voxel size / new voxel size), at least 1. The centre of the
    first voxel and the directions stay. Values between voxels are linear, and rounded for whole-number types. Where the
    new grid reaches beyond the scan (by less than half an old voxel, at the far end) values are 0, as in Clara.

    Two examples, scans and labels:

    nvmidl-dataconvert -d scans -r 1 -s .dcm -e .nii.gz -o scans_1mm

    nvmidl-dataconvert -d labels -r 1 1 2.5 -s .nii.gz -e .nii.gz -o labels_resampled -l

    Exit code 0, or 2 when a scan could not be converted.
    """
    from clara_compat.run.dataconvert import Request, plan
    from clara_compat.run.dataconvert import convert as run

    request = Request(
        folder=folder,
        resolution=tuple(resolution or ()),
        source_ext=source_ext,
        target_ext=target_ext,
        output=output,
        force=force,
        label=label,
        precision=precision,
        edge=edge,
        dry_run=dry_run,
    )
    jobs = plan(request)
    if first_decimal is not None:
        sys.stdout.write("-n is accepted and not used: what it did is not documented\n")
    from tqdm import tqdm

    outcomes = []
    with tqdm(total=len(jobs), unit="scan", disable=None, leave=False) as bar:

        def ask(job: Job) -> Answer:
            bar.clear()
            return _ask(job)

        for outcome in run(request, jobs, ask if sys.stdin is not None and sys.stdin.isatty() else None):
            outcomes.append(outcome)
            tqdm.write(_line(outcome), file=sys.stdout)
            bar.update()
    _print_summary(outcomes, "Nothing was written (--dry-run)" if dry_run else "Done")
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(MEND)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with 0, 2 (something of the user's must be mended) or 1 (a defect of ours)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(exit_code(lambda: app(spread_resolution(arguments), prog_name="nvmidl-dataconvert")))


def spread_resolution(arguments: Sequence[str]) -> list[str]:
    """Write ``-r 1 1 2.5`` as ``-r 1 -r 1 -r 2.5``: Clara's ``-r`` takes all numbers that follow it."""
    spread: list[str] = []
    inside = False
    for argument in arguments:
        if inside and _is_number(argument):
            spread += [argument] if spread[-1] in {"-r", "--res"} else ["-r", argument]
        else:
            inside = argument in {"-r", "--res"}
            spread.append(argument)
    return spread


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _ask(job: Job) -> Answer:
    answers: dict[str, Answer] = {"y": "yes", "n": "no", "a": "always", "s": "skip"}
    while True:
        try:
            given = input(f"{job.target} exists. Overwrite? (Y)es, (N)o, (A)lways, (S)kip all: ").strip().lower()
        except EOFError:
            return "skip"
        if given[:1] in answers:
            return answers[given[:1]]


def _line(outcome: Outcome) -> str:
    if outcome.status in {"converted", "planned"}:
        line = f"{outcome.status} {outcome.job.name} -> {outcome.job.target}"
    else:
        line = f"{outcome.status} {outcome.job.name}"
    return f"{line}: {outcome.text}" if outcome.text else line


def _print_summary(outcomes: Sequence[Outcome], title: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "scans", "which and why", title=title, title_justify="left")
    for status in ("planned", "converted", "skipped", "failed"):
        group = [outcome for outcome in outcomes if outcome.status == status]
        if group or status in {"converted", "failed"}:
            why = group if status in {"skipped", "failed"} else []
            table.add_row(status, str(len(group)), "\n".join(escape(f"{one.job.name}: {one.text}") for one in why))
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table)
