"""Which cases of an evaluation are drawn, and how they lie on the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clara_compat.common.full_disk import why
from clara_compat.engine.evaluation.slices import CaseSlice, grey_window
from clara_compat.engine.evaluation.step import Case
from clara_compat.errors import ClaraError
from clara_compat.report.evaluation_sheet import ShownCase, draw_cases
from clara_compat.report.page import save_png
from clara_compat.report.preview import Layer, Picture
from clara_compat.run.viewing import View

__all__ = ["save_picture"]


def save_picture(path: Path, cases: Sequence[Case], metric: str) -> Path | None:
    """Draw the worst, the median and the best case by a metric; None when there is none to draw.

    Args:
        path: the PNG.
        cases: of the evaluation.
        metric: name of the metric.

    Raises:
        ClaraError: the file cannot be written.
    """
    found = {
        case.name: case for case in cases if case.slice is not None and np.isfinite(case.metrics.get(metric, np.nan))
    }
    ranked = sorted(found.values(), key=lambda case: case.metrics[metric])
    if not ranked:
        return None
    picked = {"worst": 0, "median": (len(ranked) - 1) // 2, "best": len(ranked) - 1}
    if len(ranked) < 3:
        picked = {"worst": 0, "best": 1} if len(ranked) == 2 else {"the only case": 0}
    shown = [_shown(rank, ranked[index], metric) for rank, index in picked.items()]
    try:
        save_png(path, draw_cases(f"{metric} of {len(ranked)} cases", shown))
    except OSError as error:
        raise ClaraError(f"'{path}' cannot be written: {why(error)}") from error
    return path


def _shown(rank: str, case: Case, metric: str) -> ShownCase:
    piece = case.slice
    if piece is None:
        raise RuntimeError("a case without a slice was chosen")
    return ShownCase(rank, case.name, f"{case.metrics[metric]:.4f}", piece.place, _picture(piece))


def _picture(piece: CaseSlice) -> Picture:
    view = View.of(piece.affine)
    pixels = view.seen(piece.image)
    return Picture(
        pixels,
        view.size(pixels.shape, piece.spacing),
        grey_window(pixels),
        [Layer("prediction", view.seen(piece.predicted)), Layer("label", view.seen(piece.true))],
        view.edges(piece.affine),
    )
