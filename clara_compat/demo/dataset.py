"""A folder of made files with its ``dataset.json``: made once, completed when interrupted, made again when changed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_compat.common.files import save_json

__all__ = ["SPLITS", "Case", "checked_counts", "make_dataset"]

SPLITS = ("training", "validation", "testing")
"""The lists of a data set: what is trained on, what chooses the best model, and what nothing of a training sees."""

_STAMP = ".made.json"


@dataclass(frozen=True)
class Case:
    """One case of a data set.

    Args:
        split: its list, one of :data:`SPLITS`.
        item: its entry of the list.
        files: its files, below the folder.
        write: writes them; takes a path for each.
    """

    split: str
    item: Mapping[str, Any]
    files: Sequence[str]
    write: Callable[..., None]


def checked_counts(training: int, validation: int, testing: int) -> dict[str, int]:
    """Return the numbers of cases by the names of their lists.

    Raises:
        ValueError: a number is below zero, or all are zero.
    """
    counts = dict(zip(SPLITS, (training, validation, testing), strict=True))
    if min(counts.values()) < 0 or not any(counts.values()):
        raise ValueError(f"the numbers of cases must be at least 0 and not all 0, got {counts}")
    return counts


def make_dataset(
    folder: str | os.PathLike[str],
    cases: Sequence[Case],
    parameters: Mapping[str, Any],
    description: Mapping[str, Any],
) -> Path:
    """Make a data set in the Medical Decathlon's layout and return the path of its ``dataset.json``.

    A folder that already holds it is left as it is; one whose making was interrupted is completed; one made with other
    parameters is made again. Files appear whole or not at all.

    Args:
        folder: created when missing.
        cases: in the order of the lists.
        parameters: all that the files follow from, as JSON has it.
        description: what ``dataset.json`` says besides its lists.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    data_list = root / "dataset.json"
    if _read(root / _STAMP) != parameters:
        data_list.unlink(missing_ok=True)
        for case in cases:
            for file in case.files:
                (root / file).unlink(missing_ok=True)
        save_json(parameters, root / _STAMP)
    for case in cases:
        targets = [root / file for file in case.files]
        if not all(target.is_file() for target in targets):
            _write(case, targets)
    if not data_list.is_file():
        lists = {split: [case.item for case in cases if case.split == split] for split in SPLITS}
        numbers = {"numTraining": len(lists["training"]), "numTest": len(lists["testing"])}
        save_json({**description, **numbers, **lists}, data_list)
    return data_list


def _write(case: Case, targets: Sequence[Path]) -> None:
    partials = [_partial(target) for target in targets]
    for partial in partials:
        partial.parent.mkdir(parents=True, exist_ok=True)
    case.write(*partials)
    for partial, target in zip(partials, targets, strict=True):
        partial.replace(target)


def _partial(file: Path) -> Path:
    """Where a file is written before it gets its name; another process may be making the same folder."""
    return file.with_name(f".partial_{os.getpid()}_{file.name}")


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
