"""Make the report of a training: one HTML page from what it left in its folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from clara_compat.common.records import CASES, PAGE, SkippedItem
from clara_compat.errors import ClaraError
from clara_compat.report.training.data import Epoch, Training
from clara_compat.run.recorded_cases import evaluated_cases, validated_cases
from clara_compat.run.strangers_json import number, numbers, read_json, records, text, texts, whole
from clara_compat.run.trained_configuration import configuration_of

__all__ = ["training_report"]

_STATS, _BUNDLE, _EVALUATION, _PICTURE = "train_stats.json", "configs/train.json", "evaluate_stats.json", "evaluate.png"
_MOST_EPOCHS, _MOST_WARNINGS, _MOST_SKIPPED = 200_000, 100, 1_000
_LARGEST_PICTURE = 16 * 2**20


def training_report(
    folder: str | os.PathLike[str],
    *,
    evaluation: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Path:
    """Write the report of a training as one HTML page that needs no other file and no network.

    Everything in the folder is read as data: nothing of its config is run and no weights are loaded. What is missing or
    damaged is a sentence on the page.

    Args:
        folder: MMAR_CKPT_DIR of a training.
        evaluation: MMAR_EVAL_OUTPUT_PATH of an evaluation that is shown, too.
        out: the page; by default ``report.html`` in the folder.

    Returns:
        The page.

    Raises:
        ClaraError: there is no training in the folder, no evaluation in the other one, or the page cannot be written.

    Example::

        training_report("my_mmar/models", evaluation="my_mmar/eval", out="spleen.html")
    """
    from clara_compat.report.html.page import write_page
    from clara_compat.report.training.page import training_page

    target = Path(folder) / PAGE if out is None else Path(out)
    if target.is_dir():
        raise ClaraError(f"the report is a file: '{target}' is a folder; name a file, such as {target / PAGE}")
    training = _training(Path(folder), None if evaluation is None else Path(evaluation))
    html = training_page(training, made=_made())
    try:
        write_page(target, html)
    except OSError as error:
        raise ClaraError(
            f"the report {target} cannot be written: {error.strerror or error}; name another file with -o"
        ) from error
    return target


def _made() -> str:
    from clara_compat import __version__

    return f"Made by clara-compat {__version__} on {datetime.now().astimezone():%Y-%m-%d %H:%M}."


def _training(folder: Path, evaluation: Path | None) -> Training:
    _check_folder(folder)
    remarks: list[str] = []
    stats = read_json(folder / _STATS, remarks)
    bundle = _bundle(folder, remarks)
    recorded = read_json(folder / CASES, remarks)
    cases = validated_cases(recorded, remarks)
    if not (folder / _STATS).exists():
        remarks.append(f"{_STATS} is missing: the course of the training is not known.")
    elif stats and not records(stats.get("epochs")):
        remarks.append(f"{_STATS} has no epochs: the training ended before its first epoch did.")
    best = whole(stats.get("best_epoch"))
    if cases is not None and cases.epoch is not None and best is not None and cases.epoch != best:
        remarks.append(
            f"{CASES} is of epoch {cases.epoch}, but the best epoch is {best}: the cases are not those of model.pt."
        )
    evaluated: dict[str, Any] = {} if evaluation is None else _evaluation(evaluation, remarks)
    return Training(
        name=Path(text(stats.get("config"))).name or folder.resolve().name,
        folder=str(folder.resolve()),
        epochs=_epochs(stats),
        steps=whole(stats.get("steps")),
        key_metric=text(stats.get("key_metric")) or None,
        best_epoch=best,
        best_value=number(stats.get("best_value")),
        cases=cases,
        configuration=configuration_of(bundle, stats),
        skipped=_skipped(stats),
        warnings=texts(stats.get("warnings"))[:_MOST_WARNINGS],
        remarks=remarks,
        **evaluated,
    )


def _check_folder(folder: Path) -> None:
    """Refuse a folder without a training.

    Raises:
        ClaraError: it is no folder, or holds nothing that a training left.
    """
    if not folder.is_dir():
        raise ClaraError(
            f"the folder {folder} does not exist: name the MMAR_CKPT_DIR of a training, such as my_mmar/models"
        )
    if any((folder / name).exists() for name in (_STATS, CASES, _BUNDLE)):
        return
    near = next((one for one in (folder / "models", folder.parent / "models") if (one / _STATS).exists()), None)
    hint = (
        f"; did you mean '{near}'?"
        if near is not None
        else ": name the MMAR_CKPT_DIR of a training, such as my_mmar/models"
    )
    raise ClaraError(f"{folder} holds no training, as there is no {_STATS} in it{hint}")


def _bundle(folder: Path, remarks: list[str]) -> dict[str, Any]:
    """Return the bundle config that ran: of the folder, or of the bundle it belongs to."""
    own = folder / _BUNDLE
    around = folder.parent / _BUNDLE
    found = own if own.exists() or not around.exists() else around
    if not found.exists():
        remarks.append(f"{_BUNDLE} is missing: what was trained is not known.")
    return read_json(found, remarks)


def _epochs(stats: Mapping[str, Any]) -> list[Epoch]:
    found: dict[int, Epoch] = {}
    for one in records(stats.get("epochs"))[:_MOST_EPOCHS]:
        count = whole(one.get("epoch"))
        if count is None:
            continue
        found[count] = Epoch(
            number=count,
            loss=number(one.get("loss")),
            learning_rate=number(one.get("learning_rate")),
            seconds=number(one.get("seconds")),
            validation_seconds=number(one.get("validation_seconds")),
            train_metrics=numbers(one.get("train_metrics")),
            metrics=numbers(one["metrics"]) if isinstance(one.get("metrics"), dict) else None,
        )
    return [found[count] for count in sorted(found)]


def _skipped(stats: Mapping[str, Any]) -> list[SkippedItem]:
    return [
        SkippedItem(
            text(one.get("files")), text(one.get("reason")), text(one.get("section")), whole(one.get("times")) or 0
        )
        for one in records(stats.get("skipped"))[:_MOST_SKIPPED]
    ]


def _evaluation(folder: Path, remarks: list[str]) -> dict[str, Any]:
    """Return what the page shows of an evaluation.

    Raises:
        ClaraError: there is none in the folder.
    """
    if not (folder / _EVALUATION).exists():
        raise ClaraError(
            f"{folder} holds no evaluation, as there is no {_EVALUATION} in it: name the MMAR_EVAL_OUTPUT_PATH of "
            "clara-compat evaluate"
        )
    stats = read_json(folder / _EVALUATION, remarks)
    cases = evaluated_cases(stats)
    if stats and cases is None:
        remarks.append(f"{_EVALUATION} has no cases.")
    told = [
        ("folder", str(folder.resolve())),
        ("network", text(stats.get("model"))),
        ("device", text(stats.get("device"))),
    ]
    return {
        "evaluation": cases,
        "evaluation_facts": [(name, value) for name, value in told if value],
        "evaluation_picture": _picture(folder / _PICTURE, remarks),
    }


def _picture(path: Path, remarks: list[str]) -> bytes | None:
    """Return a PNG file; None when there is none."""
    try:
        if not path.is_file():
            return None
        content = path.read_bytes() if path.stat().st_size <= _LARGEST_PICTURE else b""
    except OSError as error:
        remarks.append(f"{path.name} cannot be read: {error.strerror}.")
        return None
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        remarks.append(f"{path.name} is no PNG picture of at most {_LARGEST_PICTURE >> 20} MB and is left out.")
        return None
    return content
