"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["CacheGb", "Env", "Log", "Mmar", "NoUserCode", "OnBadItem", "Set"]

Mmar = Annotated[Path | None, typer.Option("-m", "--mmar", help="Root folder of the MMAR.")]
Env = Annotated[
    Path | None,
    typer.Option("-e", "--env", help="Environment file. By default the MMAR's config/environment.json."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="K=V",
        help="Override a variable (epochs=2, DATA_ROOT=/data) or any place in the config "
        "(train.pre_transforms[3].args.size=[32,32,32]). Several may follow one --set.",
    ),
]

Log = Annotated[
    Path | None,
    typer.Option("-l", "--log_config", help="Logging configuration. By default the MMAR's resources/log.config."),
]

CacheGb = Annotated[
    float | None,
    typer.Option(
        "--cache-gb",
        min=0,
        help="Memory for cached scans, in GB; 0 caches nothing. By default half of what is free. What does not fit "
        "goes to disk (~/.cache/clara_compat).",
    ),
]

NoUserCode = Annotated[
    bool,
    typer.Option(
        "--no-user-code",
        help="For files of strangers: run nothing of the MMAR or of PYTHONPATH; what needs code of one's own, or "
        "TorchScript, is an error.",
    ),
]

OnBadItem = Annotated[
    Literal["stop", "skip"] | None,
    typer.Option(
        "--on-bad-item",
        help="What a scan that cannot be read does to a run: stop it (the default), or skip: in training the next scan "
        "that can be read takes its place, in validation and evaluation its case is left out; all are counted and "
        "reported.",
    ),
]
