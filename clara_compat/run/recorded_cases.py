"""The cases that a validation or an evaluation has recorded, read from their files."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clara_compat.report.preview import Layer, Picture
from clara_compat.report.training.data import CaseFigures, CaseSet, ShownCase, Voxels
from clara_compat.run.strangers_json import number, numbers, records, text, whole
from clara_compat.run.viewing import View

__all__ = ["evaluated_cases", "validated_cases"]

_MOST_PICTURES, _MOST_LAYERS = 24, 16
_LONGEST_SIDE = 2048
_LONGEST_PNG = 8 * 2**20

Array = np.ndarray[Any, Any]


def validated_cases(content: Mapping[str, Any], remarks: list[str]) -> CaseSet | None:
    """Return the cases of ``validation_cases.json``.

    Args:
        content: of the file.
        remarks: a sentence is added about pictures that cannot be read.
    """
    cases = [_case(one, index) for index, one in enumerate(records(content.get("cases")))]
    if not cases:
        return None
    ranked_by = text(content.get("ranked_by")) or None
    if ranked_by is not None and not any(case.metrics.get(ranked_by) is not None for case in cases):
        ranked_by = None
    listed = records(content.get("pictures"))[:_MOST_PICTURES]
    shown = [found for one in listed if (found := _shown(one, cases)) is not None]
    if len(shown) < len(listed):
        remarks.append(f"{len(listed) - len(shown)} of {len(listed)} pictures of cases are damaged and left out.")
    return CaseSet(
        metrics=numbers(content.get("metrics")),
        cases=cases,
        ranked_by=ranked_by,
        epoch=whole(content.get("epoch")),
        dice=text(content.get("dice")) or None,
        classes=[text(one) or "?" for one in _list(content.get("classes"))],
        shown=shown,
    )


def evaluated_cases(content: Mapping[str, Any]) -> CaseSet | None:
    """Return the cases of ``evaluate_stats.json``, ranked by its first metric that has values of cases."""
    cases = [_case(one, index) for index, one in enumerate(records(content.get("cases")))]
    metrics = numbers(content.get("metrics"))
    ranks = (name for name in metrics if any(case.metrics.get(name) is not None for case in cases))
    return CaseSet(metrics=metrics, cases=cases, ranked_by=next(ranks, None)) if cases else None


def _case(one: Mapping[str, Any], index: int) -> CaseFigures:
    counts = [[whole(each.get(of)) for of in ("both", "prediction", "label")] for each in records(one.get("voxels"))]
    known = [Voxels(both, of_prediction, of_label) for both, of_prediction, of_label in counts
             if both is not None and of_prediction is not None and of_label is not None]  # fmt: skip
    return CaseFigures(
        name=text(one.get("name")) or f"case {index + 1}",
        metrics=numbers(one.get("metrics")),
        dice=[number(each) for each in _list(one.get("dice"))],
        voxels=known if len(known) == len(counts) else [],
        voxel_mm3=number(one.get("voxel_mm3")),
        scores=[number(each) for each in _list(one.get("scores"))],
        truth=[number(each) for each in _list(one.get("truth"))],
        error=number(one.get("error")),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _shown(one: Mapping[str, Any], cases: Sequence[CaseFigures]) -> ShownCase | None:
    """Return a case with its picture; None when it is damaged."""
    index, pixels = whole(one.get("case")), _decoded(one.get("image"), ("L", "RGB"))
    if index is None or index >= len(cases) or pixels is None:
        return None
    affine = _affine(one.get("affine"))
    view = View.of(affine)
    label: list[Layer] = []
    prediction: list[Layer] = []
    for layer in records(one.get("layers"))[:_MOST_LAYERS]:
        masks = [_decoded(layer.get(of), ("1", "L")) for of in ("label", "prediction")]
        name = text(layer.get("name")) or "?"
        for mask, layers in zip(masks, (label, prediction), strict=True):
            if mask is None or mask.shape != pixels.shape[:2]:
                return None
            layers.append(Layer(name, view.seen(mask.astype(bool))))
    page = view.seen(pixels)
    spacing = [min(max(number(each) or 1.0, 1e-3), 1e3) for each in [*_list(one.get("spacing")), 1, 1][:2]]
    picture = Picture(page.astype(np.float64), view.size(page.shape, spacing), (0.0, 255.0), (), view.edges(affine))
    return ShownCase(cases[index], text(one.get("place")), picture, label, prediction)


def _affine(value: Any) -> Array:
    rows = [[number(each) for each in _list(row)] for row in _list(value)[:5]]
    if len(rows) != 4 or any(len(row) != 4 or None in row for row in rows):
        return np.eye(4)
    return np.array(rows, dtype=np.float64)


def _decoded(value: Any, modes: Sequence[str]) -> Array | None:
    """Return the pixels of a PNG file in base 64; None when it is none, or large."""
    from PIL import Image

    if not isinstance(value, str) or len(value) > _LONGEST_PNG:
        return None
    try:
        with Image.open(io.BytesIO(base64.b64decode(value, validate=True)), formats=["PNG"]) as picture:
            if max(picture.size) > _LONGEST_SIDE or picture.mode not in modes:
                return None
            return np.asarray(picture)
    except Exception:  # noqa: BLE001 -- the decoder raises whatever it stumbles over
        return None
