"""The report of a training as one HTML page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clara_compat.report.html.page import data_uri, render
from clara_compat.report.html.slice_drawing import Drawing, Overlay, drawing, overlay
from clara_compat.report.preview import Layer
from clara_compat.report.slice_picture import PALETTE
from clara_compat.report.training.case_figures import case_figures
from clara_compat.report.training.case_table import case_table, number
from clara_compat.report.training.curves import Curve, curves
from clara_compat.report.training.data import CaseSet, Epoch, ShownCase, Training
from clara_compat.report.training.findings import findings

__all__ = ["training_page"]

_LABEL, _PREDICTION, _OTHER = PALETTE[0], PALETTE[1], PALETTE[4]
_MOST_EPOCHS = 200
"""Rows of the table of epochs."""


@dataclass(frozen=True)
class _View:
    """One drawing of a case."""

    title: str
    overlay: Overlay


@dataclass(frozen=True)
class _Shown:
    """A case with its drawings."""

    name: str
    value: str
    place: str
    drawing: Drawing
    views: Sequence[_View]
    legend: Sequence[tuple[str, str]]
    answers: Sequence[tuple[str, str, float, bool | None]]


def training_page(training: Training, made: str) -> str:
    """Return the page.

    Args:
        training: what it shows.
        made: its last line: who wrote it, and when.
    """
    drawn, left_out = curves(training)
    return render(
        "training.html.j2",
        title=f"Training report: {training.name}",
        made=made,
        training=training,
        tiles=_tiles(training),
        findings=findings(training),
        curves=[_image(one) for one in drawn],
        left_out=left_out,
        epochs=_epochs(training),
        validation=None if training.cases is None else _cases(training.cases),
        evaluation=None if training.evaluation is None else _cases(training.evaluation),
        evaluation_picture=None if training.evaluation_picture is None else data_uri(training.evaluation_picture),
    )


def _tiles(training: Training) -> list[tuple[str, str]]:
    """Return the figures that are told first, each with what it is."""
    tiles = []
    if training.key_metric is not None:
        after = "" if training.best_epoch is None else f" after epoch {training.best_epoch}"
        tiles.append((number(training.best_value), f"best {training.key_metric}{after}"))
    if training.epochs:
        steps = "" if training.steps is None else f" ({training.steps} steps)"
        tiles.append((str(len(training.epochs)), f"epochs{steps}"))
        tiles.append((number(training.epochs[-1].loss), "training loss of the last epoch"))
        tiles.append((_duration(training.seconds), "training and validation"))
    if training.cases is not None:
        tiles.append((str(len(training.cases.cases)), "validation cases"))
    return tiles


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _image(curve: Curve) -> dict[str, str]:
    source = f"data:image/svg+xml;base64,{base64.b64encode(curve.svg).decode('ascii')}"
    return {"title": curve.title, "words": curve.words, "source": source}


def _epochs(training: Training) -> dict[str, Any]:
    """Return the table of epochs; of a long training the validated ones, and of too many of these every second, ..."""
    names = list(dict.fromkeys(name for epoch in training.validated for name in epoch.metrics or ()))[:6]
    shown: Sequence[Epoch] = training.epochs
    if len(shown) > _MOST_EPOCHS:
        shown = training.validated or shown
    shown = shown[:: -(-len(shown) // _MOST_EPOCHS) or 1]
    rows = [
        {
            "cells": [
                str(epoch.number),
                number(epoch.loss),
                number(epoch.learning_rate),
                *(number(epoch.metrics.get(name)) if epoch.metrics is not None else "" for name in names),
                number(epoch.seconds),
            ],
            "best": epoch.number == training.best_epoch,
        }
        for epoch in shown
    ]
    return {"heads": ["epoch", "loss", "learning rate", *names, "seconds"], "rows": rows}


def _cases(cases: CaseSet) -> dict[str, Any]:
    return {
        "count": len(cases.cases),
        "metrics": [(name, number(value)) for name, value in cases.metrics.items()],
        "ranked_by": cases.ranked_by,
        "measure": cases.measure,
        "is_segmentation": any(one.label or one.prediction for one in cases.shown),
        "epoch": cases.epoch,
        "figures": [_image(one) for one in case_figures(cases)],
        "table": case_table(cases),
        "shown": [_shown(one, cases) for one in cases.shown],
    }


def _shown(one: ShownCase, cases: CaseSet) -> _Shown:
    value = cases.value(one.case)
    views, legend = _views(one)
    answers = [
        (f"output {index}", number(score), min(max(score or 0.0, 0.0), 1.0), None if true is None else true == 1)
        for index, (score, true) in enumerate(zip(one.case.scores, one.case.truth, strict=False))
    ]
    told = "" if value is None else f"{cases.measure} {number(value)}"
    return _Shown(one.case.name, told, one.place, drawing(one.picture), views, legend, answers[:12])


def _views(one: ShownCase) -> tuple[list[_View], list[tuple[str, str]]]:
    """Return the drawings of a case side by side, and what their colours mean."""
    views = [_View("image", Overlay())]
    names = list(dict.fromkeys(layer.name for layer in (*one.label, *one.prediction)))
    if not names:
        return views, []
    if len(names) == 1:
        of_label, of_prediction = {names[0]: _LABEL}, {names[0]: _PREDICTION}
        legend = [(_LABEL, f"label ({names[0]})"), (_PREDICTION, "prediction")]
    else:
        of_label = of_prediction = {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(names)}
        legend = [(colour, name) for name, colour in of_label.items()]
    views += [_View("label", overlay(one.label, of_label)), _View("prediction", overlay(one.prediction, of_prediction))]
    wrong = _wrong(one)
    colours = {name: colour for name, colour, _ in wrong}
    views.append(_View("difference", overlay([Layer(name, mask) for name, _, mask in wrong], colours)))
    return views, legend + [(colour, name) for name, colour, mask in wrong if mask.any()]


def _wrong(one: ShownCase) -> list[tuple[str, str, Any]]:
    """Return where label and prediction differ: names, colours and masks."""
    true = {layer.name: layer.mask for layer in one.label}
    predicted = {layer.name: layer.mask for layer in one.prediction}
    missed = extra = None
    for name in true.keys() & predicted.keys():
        lost, found = true[name] & ~predicted[name], predicted[name] & ~true[name]
        missed = lost if missed is None else missed | lost
        extra = found if extra is None else extra | found
    if missed is None or extra is None:
        return []
    return [
        ("missed", _LABEL, missed & ~extra),
        ("too much", _PREDICTION, extra & ~missed),
        ("another class", _OTHER, missed & extra),
    ]
