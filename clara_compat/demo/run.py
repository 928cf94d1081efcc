"""The demos from beginning to end: make an MMAR and its data, train, predict, draw."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from clara_compat.demo.classification import show_classification
from clara_compat.demo.lesion_images import make_pictures, make_volumes
from clara_compat.demo.mmar import prepare_mmar
from clara_compat.demo.scans import make_scans
from clara_compat.demo.segmentation import show_segmentation
from clara_compat.errors import ClaraError, suggestion

if TYPE_CHECKING:
    from rich.console import Console

    from clara_compat.run.train import TrainResult

__all__ = ["TASKS", "DemoResult", "TaskName", "run_demo"]

TaskName = Literal["segmentation", "tensorflow", "classification", "classification3d"]


@dataclass(frozen=True)
class _Task:
    """What a demo is about.

    Args:
        mmar: name of its MMAR.
        data: what is made for it, in words.
        make: makes the data in a folder, with a seed, and returns the data list.
        show: draws what the best model makes of the test items, and returns the values to print.
        measure: what the values are.
        of: what each of them belongs to.
    """

    mmar: str
    data: str
    make: Callable[..., Path]
    show: Callable[[TrainResult, Path, Path], dict[str, float]]
    measure: str
    of: str


TASKS: dict[TaskName, _Task] = {
    "segmentation": _Task("demo_mmar", "CT scans", make_scans, show_segmentation, "Dice", "test scan"),
    "tensorflow": _Task("demo_tensorflow", "CT scans", make_scans, show_segmentation, "Dice", "test scan"),
    "classification": _Task("demo_classification_2d", "pictures", make_pictures, show_classification, "AUC", "finding"),
    "classification3d": _Task(
        "demo_classification_3d", "CT volumes", make_volumes, show_classification, "AUC", "finding"
    ),
}
"""The demos by name."""


@dataclass(frozen=True)
class DemoResult:
    """What a demo reached.

    Args:
        measure: ``Dice`` or ``AUC``.
        value: mean of the values.
        values: the best model's, on test items that neither trained nor chose it: the Dice per scan, or the area under
            the ROC curve per finding.
        picture: the PNG.
        mmar: the folder, a complete legacy-format MMAR with its data and results.
    """

    measure: str
    value: float
    values: dict[str, float]
    picture: Path
    mmar: Path


def run_demo(
    folder: str | os.PathLike[str] | None = None,
    *,
    task: TaskName = "segmentation",
    epochs: int | None = None,
    seed: int | None = None,
    console: Console | None = None,
) -> DemoResult:
    """Train a demo's MMAR on synthetic images and show what it learned.

    Args:
        folder: where to work, ``clara_compat_demo`` by default (with the task's name when it is another one); made when
            missing, filled anew when an earlier demo made it (results in its ``models`` are kept as training keeps
            them).
        task: which demo.
        epochs: number of epochs; the MMAR's own when None.
        seed: seed of the images and of the training; the MMAR's own when None.
        console: where to print.

    Raises:
        ClaraError: the folder holds files that this demo did not make, or there is no such task.
    """
    from rich.console import Console

    from clara_compat.run.train import train

    if task not in TASKS:
        names = get_args(TaskName)
        raise ClaraError(f"no demo '{task}'{suggestion(task, names)} (demos: {', '.join(names)})")
    console, demo = console or Console(), TASKS[task]
    started = time.perf_counter()
    mmar = prepare_mmar(Path(_default_folder(task) if folder is None else folder), demo.mmar)
    console.print(f"MMAR in the format of Clara Train 3.1: {mmar}", highlight=False, markup=False)
    with console.status(f"making synthetic {demo.data}"):
        data_list = demo.make(mmar / "data", seed=seed or 0)
    console.print(f"Synthetic {demo.data}: {data_list}", highlight=False, markup=False)

    overrides: dict[str, Any] = {"DATA_ROOT": str(data_list.parent), "DATASET_JSON": str(data_list)}
    if epochs is not None:
        overrides["epochs"] = epochs
    if seed is not None:
        overrides["determinism"] = {
            "python_seed": str(seed), "random_seed": seed, "numpy_seed": seed, "tf_seed": seed,
        }  # fmt: skip
    trained = train(mmar, "config/config_train.json", "config/environment.json", overrides)

    picture = mmar / "demo.png"
    values = demo.show(trained, data_list, picture)
    result = DemoResult(demo.measure, sum(values.values()) / len(values), values, picture, mmar)
    _print_result(console, demo, result, trained, time.perf_counter() - started)
    return result


def _default_folder(task: TaskName) -> str:
    return "clara_compat_demo" + ("" if task == "segmentation" else f"_{task}")


def _print_result(console: Console, demo: _Task, result: DemoResult, trained: TrainResult, seconds: float) -> None:
    from rich.table import Table

    title = f"The best model on {demo.data} it never saw"
    table = Table(demo.of, demo.measure, title=title, title_justify="left", min_width=46)
    for name, value in result.values.items():
        table.add_row(name, f"{value:.3f}")
    table.add_section()
    table.add_row("mean", f"{result.value:.3f}", style="bold")
    console.print(table)
    stats = trained.stats
    console.print(
        f"{len(stats['epochs'])} epoch(s), {stats['steps']} steps on {stats['device']}: {seconds:.0f} seconds in all.\n"
        f"Picture: {result.picture}\n"
        f"Model: {trained.paths['model']}\n"
        f"Read {result.mmar / 'docs' / 'Readme.md'} for what to try next.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
