"""The commands ``clara-compat weights list`` and ``clara-compat weights convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clara_compat.run.weights import Conversion, Weights

__all__ = ["weights"]

weights = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look into files of weights, and convert those of TensorFlow.",
)

Checkpoint = Annotated[
    Path,
    typer.Argument(
        metavar="CKPT",
        help="A TensorFlow checkpoint by the common name of its files (models/model.ckpt), or a .pt file.",
        show_default=False,
    ),
]


@weights.command("list", short_help="List the tensors of a checkpoint.")
def list_(
    checkpoint: Checkpoint,
    json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the tensors of a checkpoint: name, type and shape, and how much there is in all.

    TensorFlow is not needed. What an optimizer kept, and counters, are marked.

    Example: clara-compat weights list my_mmar/models/model.ckpt
    """
    from clara_compat.run.weights import list_weights

    _print_list(list_weights(checkpoint), as_json=json)


@weights.command(short_help="Write a TensorFlow checkpoint as a state dict.")
def convert(
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write, ending in .pt.", show_default=False)],
    names: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help='JSON that gives TensorFlow\'s names the network\'s: {"net/conv3d/kernel": "encoder.0.weight"}. '
            "What it does not name is left out.",
        ),
    ] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            "--like",
            metavar="FILE.pt",
            help="Weights of the network that they are for, such as model.pt of a training of one epoch: names and "
            "shapes are checked against them.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write the weights of a TensorFlow checkpoint as a state dict, which MMAR_CKPT takes.

    A model of your own, written for TensorFlow, needs no conversion: MMAR_CKPT=models/model.ckpt loads by name. The
    built-in networks are those of MONAI's kind, and what Clara called their variables is not documented: say with
    --map which tensor is which. Kernels then get torch's order of axes (DHWIO becomes OIDHW, also of transposed
    convolutions and dense layers), everything else stays as it is.

    To see the names of both sides: clara-compat weights list models/model.ckpt, and clara-compat weights list model.pt
    of a training of the network.

    Example: clara-compat weights convert old/model.ckpt -o start.pt --map names.json --like models/model.pt
    """
    from clara_compat.run.weights import convert_weights

    _print_conversion(convert_weights(checkpoint, out, names=names, like=like, force=force))


def _print_list(found: Weights, *, as_json: bool) -> None:
    if as_json:
        from json import dumps

        typer.echo(dumps(found.as_json(), indent=2))
        return
    from rich.markup import escape
    from rich.table import Table

    from clara_compat.cli.tables import wide_console

    table = Table("name", "dtype", "shape", "part of", title=escape(str(found.path)), title_justify="left")
    for one in found.tensors:
        remark = "training" if one.of_training else "network"
        table.add_row(escape(one.name), one.dtype, "×".join(map(str, one.shape)) or "scalar", remark)
    own = [one for one in found.tensors if not one.of_training]
    table.add_section()
    others = len(found.tensors) - len(own)
    summary = f"{len(own)} tensors of the network" + (f", {others} of the training" if others else "")
    table.add_row(summary, "", f"{sum(one.elements for one in own):,} numbers", "", style="bold")
    wide_console().print(table)


def _print_conversion(done: Conversion) -> None:
    from clara_compat.cli.tables import wide_console

    out = wide_console()

    def say(text: str) -> None:
        out.print(text, markup=False, highlight=False, soft_wrap=True)

    say(f"{done.path}: {len(done.names)} tensors")
    for name in done.left:
        say(f"  left out, as the mapping does not name it: {name}")
    if done.of_training:
        say(f"  left out: {done.of_training} variables of the training (its optimizer, counters)")
