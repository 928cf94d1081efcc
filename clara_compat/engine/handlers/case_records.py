"""``validation_cases.json``: what the best validation found, case by case, with pictures of the worst ones."""

from __future__ import annotations

import logging
import math
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from ignite.metrics import Metric
from monai.utils import CommonKeys

from clara_compat.common.auc import indicators
from clara_compat.common.files import save_json
from clara_compat.common.full_disk import why
from clara_compat.common.label_format import label_sizes
from clara_compat.common.records import CASES
from clara_compat.common.result_files import case_name
from clara_compat.engine.distributed.gather import everybody, merged_on_first, size
from clara_compat.engine.distributed.shares import own_images
from clara_compat.engine.evaluation.case_pictures import CasePicture, Comparison, picture_of
from clara_compat.engine.evaluation.slices import affine_of
from clara_compat.engine.metrics.case_metric import file_names
from clara_compat.engine.metrics.case_values import CaseValues
from clara_compat.engine.metrics.dice import ClaraDice
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["CaseRecords"]

logger = logging.getLogger("clara_compat")


@dataclass(frozen=True)
class _Candidate:
    """A case that is among the worst so far."""

    case: int
    picture: CasePicture | None


class CaseRecords:
    """Keeps the values of every case of a validation, and a slice of the worst; writes them when it was the best one.

    A case is the worse the smaller the key metric is, which is maximised. Where the key metric has no value of a case
    (an area under a curve, a user's own that keeps no list), the share of wrong voxels takes its place, or the distance
    between probabilities and classes. Nothing is drawn at random and no tensor is changed; a picture is only made of a
    case that is among the worst so far, and no more than one case is looked at at a time. The file is written whole or
    not at all; a run does not fail when it cannot be.

    Args:
        folder: where ``validation_cases.json`` goes, beside ``model.pt``.
        key_metric: the metric that chooses the best model, by its name.
        additional_metrics: further ones.
        pictures: how many cases have a picture.

    Example::

        metrics = {"mean_dice": ClaraDice()}
        SupervisedEvaluator(..., key_val_metric=metrics, val_handlers=[CaseRecords("models", metrics)], decollate=False)
    """

    def __init__(
        self,
        folder: str,
        key_metric: Mapping[str, Metric],
        additional_metrics: Mapping[str, Metric] | None = None,
        pictures: int = 6,
    ) -> None:
        self.path = Path(folder) / CASES
        self.metrics = {**key_metric, **(additional_metrics or {})}
        self.key = next(iter(key_metric))
        self.pictures = pictures
        self.comparison = Comparison.of(self.metrics.values())
        self._values = CaseValues(self.metrics)
        dices = {name: metric for name, metric in self.metrics.items() if isinstance(metric, ClaraDice)}
        self._dice_name: str | None = next(iter(dices), None)
        self._dice: ClaraDice | None = None if self._dice_name is None else dices[self._dice_name]
        self._label_sizes = next(
            (found for one in self.metrics.values() if (found := getattr(one, "classes_per_label", None))), None
        )
        self._begin()

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator that has its metrics already, as MONAI's engines do when they get their handlers."""
        engine.add_event_handler(Events.EPOCH_STARTED, lambda _: self._begin())
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._batch)
        engine.add_event_handler(Events.COMPLETED, self._end)

    def _begin(self) -> None:
        self._values.reset()
        self._cases: list[dict[str, Any]] = []
        self._ends: list[int] = []  # number of cases after each batch
        self._classes: list[str] = []
        self._worst: list[_Candidate] = []
        self._key_is_known = False

    @torch.no_grad()
    def _batch(self, engine: Engine) -> None:
        batch = engine.state.batch if isinstance(engine.state.batch, dict) else {}
        fields = ChainMap(engine.state.output, batch)
        images = batch.get(CommonKeys.IMAGE)
        if not isinstance(images, torch.Tensor):
            return
        if size() > 1 and not own_images(engine):
            self._ends.append(len(self._cases))
            return
        count, files = len(images), file_names(batch)
        values = self._values.take(count)
        self._key_is_known |= values.get(self.key) is not None
        prediction: Any
        label: Any
        prediction, label = (fields.get(one) for one in (self.comparison.field, self.comparison.label_field))
        compared = self.comparison.fits(images, prediction, label)
        if compared:
            label = label.to(prediction.device)
            self._classes = self.comparison.names(prediction.shape[1])
        classes = _classified(fields, count, self._label_sizes)
        for index in range(count):
            number = len(self._cases)
            file = files[index] if len(files) == count else ""
            case = {
                "name": _name(file, number),
                "file": file,
                "metrics": {name: _finite(of[index]) if of is not None else None for name, of in values.items()},
                **self._dice_of(index, images),
                **{name: _finites(rows[index]) for name, rows in classes.items()},
            }
            self._cases.append(case)
            one = slice(index, index + 1)
            pair = (prediction[one], label[one]) if compared else (None, None)
            if not self._key_is_known:
                case["error"] = self._error(case, *pair)
            if self._is_among_the_worst(number):
                # an image without masks explains a class, not a segmentation
                shown = picture_of(images[index], self.comparison, *pair) if compared or classes else None
                self._keep(_Candidate(number, shown))
        self._ends.append(len(self._cases))

    def _dice_of(self, index: int, images: torch.Tensor) -> dict[str, Any]:
        """Return what the Dice metric kept of a case of the batch: values and voxels class by class."""
        count = len(images)
        if self._dice is None or len(self._dice.voxels) < count:
            return {}
        affine = affine_of(images, index)
        is_known = images.ndim == 5 and not np.array_equal(affine, np.eye(4))
        return {
            "dice": _finites(self._dice.values[index - count]),
            "voxels": [
                {"both": int(both), "prediction": int(predicted), "label": int(true)}
                for both, predicted, true in self._dice.voxels[index - count]
            ],
            "voxel_mm3": float(abs(np.linalg.det(affine[:3, :3]))) if is_known else None,
        }

    def _rank(self, number: int) -> float:
        """Return what is smallest for the worst case."""
        if not self._key_is_known:
            return -float(self._cases[number]["error"])
        value = self._cases[number]["metrics"].get(self.key)
        return math.inf if value is None else value

    def _is_among_the_worst(self, number: int) -> bool:
        if len(self._worst) < self.pictures:
            return True
        return bool(self._worst) and self._rank(number) < self._rank(self._worst[-1].case)

    def _keep(self, candidate: _Candidate) -> None:
        self._worst.append(candidate)
        self._worst.sort(key=lambda one: (self._rank(one.case), one.case))
        del self._worst[self.pictures :]

    def _error(self, case: Mapping[str, Any], prediction: Any, label: Any) -> float:
        """Return how wrong a case is, by what is known without the key metric; 0 where nothing is."""
        if "scores" in case:
            return _distance(case["scores"], case["truth"])
        if "voxels" in case:
            both, predicted, true = (sum(one[of] for one in case["voxels"]) for of in ("both", "prediction", "label"))
        elif prediction is not None:
            both, predicted, true = (int(one) for one in self.comparison.counts(prediction, label))
        else:
            return 0.0
        return (predicted + true - 2 * both) / max(predicted + true, 1)

    def _end(self, engine: Engine) -> None:
        state = engine.state
        if state.best_metric_epoch == state.epoch:
            if size() > 1:
                self._gather()
            if self._cases:
                self._write(engine)
        self._begin()

    def _write(self, engine: Engine) -> None:
        try:
            save_json(self._content(engine), self.path)
        except OSError as error:
            logger.warning("%s cannot be written: %s", self.path, why(error))

    def _gather(self) -> None:
        """Take the cases of all processes to the first one, and leave none to the others."""
        shown = {one.case: one.picture for one in self._worst}
        told = [(case, number in shown, shown.get(number)) for number, case in enumerate(self._cases)]
        for known, classes in everybody((self._key_is_known, self._classes)):
            self._key_is_known |= known
            self._classes = self._classes or classes
        found = merged_on_first([told[start:end] for start, end in pairwise([0, *self._ends])])
        self._cases = [case for case, _, _ in found]
        for number, case in enumerate(self._cases):
            case["name"] = _name(case["file"], number)
        self._worst = []
        for number, (_, is_candidate, picture) in enumerate(found):
            if is_candidate:
                self._keep(_Candidate(number, picture))

    def _content(self, engine: Engine) -> dict[str, Any]:
        shown = [(one.case, one.picture) for one in self._worst if one.picture is not None]
        return {
            "epoch": engine.state.epoch,
            "key_metric": self.key,
            "metrics": {name: _finite(engine.state.metrics[name]) for name in self.metrics},
            "ranked_by": self.key if self._key_is_known else None,
            "dice": self._dice_name,
            "threshold": self.comparison.threshold,
            "classes": self._classes,
            "cases": self._cases,
            "pictures": [{"case": case, **picture.as_json()} for case, picture in shown],
        }


def _classified(fields: Mapping[str, Any], count: int, declared: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return scores (N, outputs) and whether each class is the case's, of a classification; else nothing."""
    rows = []
    for one in (fields.get(CommonKeys.PRED), fields.get(CommonKeys.LABEL)):
        if not isinstance(one, torch.Tensor) or one.ndim == 0 or len(one) != count or math.prod(one.shape[2:]) != 1:
            return {}
        rows.append(plain(one).detach().reshape(count, -1).double().cpu().numpy())
    scores, truth = rows
    try:
        sizes = label_sizes(scores.shape[1], truth.shape[1], declared)
    except ClaraError:
        return {}
    return {"scores": scores, "truth": indicators(truth, sizes)}


def _distance(scores: list[float | None], truth: list[float | None]) -> float:
    """Return the mean distance of probabilities from what is true; other scores are squashed to 0 ... 1 before."""
    known = np.array([(s, t) for s, t in zip(scores, truth, strict=True) if s is not None and t is not None])
    if not known.size:
        return 0.0
    values = known[:, 0]
    if values.min() < 0 or values.max() > 1:
        values = 0.5 * (1 + np.tanh(values / 2))
    return float(np.abs(values - known[:, 1]).mean())


def _name(file: str, number: int) -> str:
    try:
        return case_name(file) if file else f"case_{number + 1}"
    except ClaraError:
        return f"case_{number + 1}"


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _finites(values: Any) -> list[float | None]:
    return [_finite(value) for value in values]
