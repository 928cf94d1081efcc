"""Train a complete MMAR on synthetic images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["demo"]


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder to work in; made when missing. By default clara_compat_demo, with the task's name if another."
        ),
    ] = None,
    task: Annotated[
        Literal["segmentation", "tensorflow", "classification", "classification3d"],
        typer.Option(help="What to learn."),
    ] = "segmentation",
    epochs: Annotated[int | None, typer.Option(help="Fewer epochs, for a quick look.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run.")] = None,
) -> None:
    """Train a complete Clara 3.1 MMAR on synthetic images, and draw what it learned.

    The tasks: find the spleen in CT scans (segmentation), the same with a network and a loss written with TensorFlow 1
    (tensorflow), say which lesions a picture has (classification) or which one a CT volume has (classification3d).
    Each takes a few minutes on two cores, and ends with the Dice or the area under the ROC curve on images it never
    saw, a picture and the curve.

    Example: clara-compat demo --task classification
    """
    from clara_compat.demo.run import run_demo

    run_demo(folder, task=task, epochs=epochs, seed=seed)
