"""The command ``clara-compat preview``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from clara_compat.cli.options import Env, Mmar, NoUserCode, Set

__all__ = ["preview"]


def preview(
    config: Annotated[Path, typer.Argument(help="Training configuration, also relative to the MMAR.")],
    mmar: Mmar = None,
    env: Env = None,
    set_: Set = None,
    items: Annotated[int, typer.Option("-n", "--items", min=1, max=20, help="How many items of the data list.")] = 2,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The PNG. By default preview.png in MMAR_CKPT_DIR.")
    ] = None,
    section: Annotated[Literal["train", "validate"], typer.Option(help="Whose transforms.")] = "train",
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the random draws. By default the config's determinism, or a drawn one."),
    ] = None,
    epoch: Annotated[int, typer.Option(min=1, help="Another epoch shows other random draws.")] = 1,
    no_user_code: NoUserCode = False,
) -> None:
    """Draw what each transform of a config does to a few items: a picture, and a table here.

    The picture has a row per item (and per crop) and a column per transform: the slice with the most label, the label
    on top of it, and below it shape, spacing in mm, values and labels. It is what a training with this seed sees:
    flips, rotations, crops and shifts of the grey values as they are drawn for it. Neither the network nor the loss is
    needed. When a transform fails, the picture shows all until then.

    Example: clara-compat preview my_mmar/config/config_train.json -n 3 -o augmentation.png --seed 7
    """
    from clara_compat.cli.preview_tables import print_preview
    from clara_compat.run.preview import preview as run

    result = run(
        config,
        mmar,
        env,
        set_ or (),
        items=items,
        section=section,
        seed=seed,
        epoch=epoch,
        out=out,
        user_code=not no_user_code,
    )
    print_preview(result)
    if result.error is not None:
        raise result.error
